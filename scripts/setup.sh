#!/bin/bash
# setup.sh - installs the Debian packages that the lab needs and lacks.
#
#   scripts/setup.sh         to build, run, test and plot
#   scripts/setup.sh --ci    also what .ci/run needs: clang and its runtimes, a
#                            browser, the programs that run under libmm.so,
#                            and, where it is to be had, what builds for other
#                            machines
#   scripts/setup.sh --soak  and those of `make soak`: nginx, PostgreSQL, ...
#   scripts/setup.sh --bench also the programs that scripts/bench.sh runs
#   scripts/setup.sh --arch  also what builds for other machines, and runs that,
#                            with their libraries
#
# Does nothing when all are there. Not root: uses sudo where there is one,
# otherwise prints the command for someone who may, and ends with status 1.
set -euo pipefail

packages=(gcc libc6-dev make python3 pkg-config
          libzstd-dev       # compressed traces
          libjansson-dev    # --json
          check             # unit tests
          zstd              # end-to-end tests and make traces
          g++ binutils sqlite3  # the tests of libmm-NAME.so
          libjemalloc2 libtcmalloc-minimal4 libmimalloc2.0  # mdriver -a
          valgrind          # scripts/count.sh
          gnuplot-nox)      # scripts/plot.sh
ci_packages=(clang libclang-rt-14-dev clang-format
             chromium         # reads the pages; without it tests skip
             spin              # tests/models
             git perl sqlite3 redis-server stress-ng libpython3.11-testsuite)
soak_packages=(nginx wrk postgresql nodejs default-jdk-headless
               php8.2-cli openssh-server openssh-client
               openmpi-bin libopenmpi-dev ucx-utils)
bench_packages=(perl sqlite3 lua5.4 jq nodejs)
cross_packages=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu
                gcc-riscv64-linux-gnu g++-riscv64-linux-gnu
                qemu-user musl-tools)
arch_packages=("${cross_packages[@]}"
               libzstd-dev:arm64 libjansson-dev:arm64 check:arm64)
foreign=()    # architectures that dpkg must know
optional=()   # without these a step of .ci/run is skipped

case ${1-} in
"") ;;
--ci) packages+=("${ci_packages[@]}") optional=("${cross_packages[@]}") ;;
--soak) packages+=("${ci_packages[@]}" "${soak_packages[@]}") ;;
--bench) packages+=("${bench_packages[@]}") ;;
--arch) packages+=("${arch_packages[@]}") foreign=(arm64) ;;
*)
    echo "setup.sh: unknown argument $1;" \
        "expected --ci, --soak, --bench, --arch or nothing" >&2
    exit 2 ;;
esac

if ! command -v apt-get >/dev/null; then
    echo "setup: no apt-get here; make sure you have what Debian calls:" \
         "${packages[*]}"
    exit 0
fi

# missing_of PACKAGE...: those that are not installed, for this machine or the
# one that they name
missing_of() {
    local p its native states
    native=$(dpkg --print-architecture 2>/dev/null || true)
    for p; do
        its=$native
        [[ $p != *:* ]] || its=${p#*:}
        states=,$(dpkg-query -W -f '${Architecture} ${db:Status-Status},' "$p" \
            2>/dev/null || true)
        [[ $states == *",$its installed,"* ||
            $states == *",all installed,"* ]] || echo "$p"
    done
}
mapfile -t missing < <(missing_of "${packages[@]}")
mapfile -t wished < <(missing_of ${optional[@]+"${optional[@]}"})
if ((${#missing[@]} + ${#wished[@]} == 0)); then
    echo "setup: all packages are installed"
    exit 0
fi

install="apt-get install -y --no-install-recommends ${missing[*]}"
wish="apt-get install -y --no-install-recommends ${wished[*]}"
for a in ${foreign[@]+"${foreign[@]}"}; do
    dpkg --print-foreign-architectures | grep -qx "$a" ||
        add="${add-}dpkg --add-architecture $a && "
done
as_root=()
if ((EUID != 0)); then
    as_root=(sudo)
    [[ -t 0 ]] || as_root=(sudo -n)    # nobody there to type a password
    if ! command -v sudo >/dev/null; then
        echo "setup: missing packages; as root, run:" >&2
        echo "    ${add-}apt-get update && $install ${wished[*]}" >&2
        ((${#missing[@]} == 0)) || exit 1
        exit 0
    fi
fi

echo "setup: installing ${missing[*]} ${wished[*]}"
export DEBIAN_FRONTEND=noninteractive
[[ -z ${add-} ]] || "${as_root[@]}" bash -c "${add% && }"
"${as_root[@]}" apt-get -qq update
# shellcheck disable=SC2086 # the words of the command
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
# shellcheck disable=SC2086
((${#wished[@]} == 0)) ||
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $wish -qq >/dev/null ||
    echo "setup: could not install ${wished[*]}; what needs them is skipped"
echo "setup: done"
