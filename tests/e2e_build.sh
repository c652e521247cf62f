#!/bin/bash
# e2e_build.sh - the Makefile and scripts/setup.sh, in a copy of the sources.
#
# shellcheck disable=SC2317 # functions that expect and try call
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES B CC SAN

copy=$SCRATCH/copy
mkdir "$copy"
tar -c --exclude='./build*' --exclude=./.git --exclude=./traces . |
    tar -x -C "$copy"
cd "$copy" || exit 2

# One small object stands for all: they share flags and dependencies.
object=build/designs/null.o
compiles() {    # does make, with these arguments, compile it again?
    make "$@" "$object" | grep -q 'CC '
}
compiles_not() {
    ! compiles "$@"
}

try make "$object"
expect_output "make says what it compiles, in one short line" 0 \
    '^ +CC +designs/null\.c$'
expect "a second make has nothing to do" compiles_not
expect "changed flags rebuild" compiles OPT=-O1
expect "the flags of the last build are remembered" compiles_not OPT=-O1
expect "the first flags rebuild again" compiles
sleep 0.1    # file times are coarse
touch mm.h
expect "a changed header rebuilds what includes it" compiles
object=build/driver/base/clock.o
make "$object" >/dev/null
sleep 0.1
touch driver/base/clock.h
expect "and so in a room of the driver's" compiles
object=build/designs/null.o
try make V=1 OPT=-O3 "$object"
expect_output "V=1 shows the command" 0 '^gcc .*-O3 .*designs/null\.c'
try make -n quicktest
expect_output "make quicktest has unit and end-to-end tests" 0 \
    'tests/run.sh .*build/tests/test_mm .*tests/e2e_mdriver\.sh'
try make -n SAN=thread CC=clang DEBUG=1 build-thread-clang-debug/memlib.o
expect_output "each configuration has a directory of its own" 0 \
    '^clang .*-DMM_DEBUG=1 .*-fsanitize=thread .*build-thread-clang-debug/'

try make -n mdriver
expect_output "./mdriver is the plain build" 0 '^ln .* build/mdriver mdriver$'
try make -n SAN=thread mdriver
expect "./mdriver is never one with a sanitizer" \
    test "${out/ln -sfn/}" = "$out"

cp designs/null.c designs/foo.c
try make -n build/mdriver
expect_output "a new file in designs/ is compiled" 0 '-c .*designs/foo\.c'
expect_output "a new file in designs/ is linked into mdriver" 0 \
    '-o build/mdriver .*build/designs/foo\.o'
rm designs/foo.c

# A student's first file: what it warns of is shown, and does not end the build.
echo 'static int never_used;' >designs/foo.c
try make build/designs/foo.o
expect_output "a warning in a new file of designs/ is shown" 0 \
    'foo\.c:1.*warning: .never_used. defined but not used'
expect "and the file is built" test -s build/designs/foo.o
make "$object" >/dev/null
make build/designs/foo.o >/dev/null
expect "the flags of all others are as before" compiles_not
try make V=1 -n build/preload/foo.o
expect "no more does it for libmm-foo.so" test \
    "$(grep -c -- '-Werror .*-fPIC' <<<"$out")" = 0
echo 'static int never_used;' >>designs/null.c
try make "$object"
expect_output "a warning in one of the lab's own ends the build" 2 \
    'null\.c:[0-9]+.*error: .never_used. defined but not used'
sed -i '$d' designs/null.c
rm designs/foo.c

# A compiler that lacks one header, as on a system without its package.
fake_cc() {
    cat >"$SCRATCH/gcc" <<END
#!/bin/sh
case "\$*" in *$1*) echo "$1: No such file" >&2; exit 1 ;; esac
exec gcc "\$@"
END
    chmod +x "$SCRATCH/gcc"
}
driver_sources=(driver/*/*.c)
driver_object=build/${driver_sources[0]%.c}.o
for missing in zstd:libzstd-dev jansson:libjansson-dev; do
    header=${missing%:*}.h package=${missing#*:}
    fake_cc "$header"
    rm -f build/have-*
    try make CC="$SCRATCH/gcc" B=build "$driver_object"
    expect_output "without $header make names the package $package" 2 \
        "^error: .*$header: apt-get install $package\$"
done
try make CC="$SCRATCH/gcc" B=build "$object"
expect_output "an allocator builds without the driver's libraries" 0 'null\.c'
try make B=build-without WITHOUT=zstd,jansson \
    build-without/driver/without/{zstd,jansson}.o
expect_output "what stands in for a library that lacks builds" 0 'jansson\.c'
try make CC=no-such-compiler build-no-such-compiler/have-zstd
expect_output "a missing compiler is named" 2 \
    '^error: no-such-compiler .*apt-get install'

try make -n test
expect_output "make test runs every test" 0 \
    'tests/run\.sh.* build/tests/test_.* tests/e2e_build\.sh'
try make -n test T=e2e_chec
expect_output "make test T=NAME runs those with NAME in their name" 0 \
    'tests/run\.sh +tests/e2e_checks\.sh *$'

try make help
expect_output "make help names the targets" 0 '^ +make grade '
make -s clean
expect "make clean leaves no build directory" \
    test -z "$(find . -maxdepth 1 -name 'build*')"

# ---- setup.sh, on a system that has apt-get but no package and no sudo ------
mkdir "$SCRATCH/bin"
for tool in dpkg-query apt-get; do
    printf '#!/bin/sh\nexit 1\n' >"$SCRATCH/bin/$tool"
    chmod +x "$SCRATCH/bin/$tool"
done
chmod 755 "$SCRATCH"
unprivileged=()
((EUID != 0)) || unprivileged=(setpriv --reuid=65534 --clear-groups)
setup_as_nobody() {
    "${unprivileged[@]}" env PATH="$SCRATCH/bin" /bin/bash \
        <scripts/setup.sh
}
setup_here() {
    env PATH="$SCRATCH/bin" /bin/bash scripts/setup.sh
}
out=$(setup_as_nobody 2>&1)
status=$?
expect_output "setup.sh without root or sudo prints the command to run" 1 \
    '^    apt-get update && apt-get install .*libzstd-dev.*check'
try bash scripts/setup.sh --everything
expect_output "setup.sh refuses an argument that it does not know" 2 \
    'unknown argument --everything'
printf '#!/bin/sh\necho all installed,\n' >"$SCRATCH/bin/dpkg-query"
try setup_here
expect_output "setup.sh does nothing when all is installed" 0 \
    'all packages are installed'
rm "$SCRATCH/bin/apt-get"
try setup_here
expect_output "setup.sh lists what is needed where there is no apt-get" 0 \
    'no apt-get here.*libjansson-dev'

finish
