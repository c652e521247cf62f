#!/bin/bash
# e2e_programs.sh - tests/programs/run.sh sees what goes wrong under a library.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh

# A library that does CODE when a program starts.
library() {
    printf '#include <stdlib.h>\n#include <unistd.h>\n' >"$SCRATCH/$1.c"
    echo "__attribute__((constructor)) static void f(void) { $2; }" \
        >>"$SCRATCH/$1.c"
    gcc -shared -fPIC -w -o "$SCRATCH/$1.so" "$SCRATCH/$1.c"
}

library nothing ''
try tests/programs/run.sh --only perl "$SCRATCH/nothing.so"
expect_output "a library that does no harm passes" 0 '^1 passed, 0 failed$'
library talks 'write(1, "more\n", 5)'
try tests/programs/run.sh --only perl "$SCRATCH/talks.so"
expect_output "more output is seen" 1 '^not ok - perl .*the output differs$'
library dies 'if (getenv("SOAK")) abort()'
try tests/programs/run.sh --only perl "$SCRATCH/dies.so"
expect_output "a program that dies is seen" 1 '^0 passed, 1 failed$'
try tests/programs/run.sh --only perl "$SCRATCH/nothing.so" \
    "$SCRATCH/talks.so"
expect_output "each library counts" 1 '^1 passed, 1 failed$'
try tests/programs/run.sh --only no-such-program "$SCRATCH/nothing.so"
expect_output "nothing run is no success" 1 '^0 passed, 0 failed$'
try tests/programs/run.sh --hard libmm.so
expect_output "an unknown option is refused" 2 'unknown option --hard'
finish
