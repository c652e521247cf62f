#!/bin/bash
# setup.sh - installs the Debian packages that the lab needs and lacks.
#
#   scripts/setup.sh         to build, run, test and plot
#   scripts/setup.sh --ci    also what .ci/run needs: clang and its runtimes, a
#                            browser, and the programs that run under libmm.so
#   scripts/setup.sh --soak  and those of `make soak`: nginx, PostgreSQL, ...
#   scripts/setup.sh --bench also the programs that scripts/bench.sh runs
#   scripts/setup.sh --arch  also what builds for other machines, and runs that
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
arch_packages=(gcc-aarch64-linux-gnu g++-aarch64-linux-gnu
               gcc-riscv64-linux-gnu g++-riscv64-linux-gnu
               libzstd-dev:arm64 libjansson-dev:arm64 check:arm64
               qemu-user)
foreign=()    # architectures that dpkg must know

case ${1-} in
"") ;;
--ci) packages+=("${ci_packages[@]}") ;;
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

missing=()
for p in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
    [[ $state == installed ]] || missing+=("$p")
done
if ((${#missing[@]} == 0)); then
    echo "setup: all packages are installed"
    exit 0
fi

install="apt-get install -y --no-install-recommends ${missing[*]}"
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
        echo "    ${add-}apt-get update && $install" >&2
        exit 1
    fi
fi

echo "setup: installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
[[ -z ${add-} ]] || "${as_root[@]}" bash -c "${add% && }"
"${as_root[@]}" apt-get -qq update
# shellcheck disable=SC2086 # the words of the command
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
echo "setup: done"
