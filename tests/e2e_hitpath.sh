#!/bin/bash
# e2e_hitpath.sh - a malloc and a free that the thread's cache serves: no call,
# no locked instruction, and few instructions; and scripts/hitpath.py sees it
# where that is not so.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
STEP=${B:-build}/tests/hitpath/step

# The stages that serve without a lock, and the instructions they may need.
LIMITS="arena:45 lockfree:44"

hitpath() {
    scripts/hitpath.py --step "$STEP" "$@"
}

for limit in $LIMITS; do
    library=libmm-${limit%:*}.so
    [[ -e $library ]] || continue
    try hitpath --limit "${limit#*:}" "$library"
    expect_output "$library: at most ${limit#*:} instructions" 0 'free\(1000\)'
done

try hitpath --limit 5 libmm-arena.so 24
expect_output "too many instructions are seen" 1 'more than 5 instructions$'
try hitpath --limit 1000 libmm-fit-cas.so 24
expect_output "a call is seen" 1 'malloc\(24\).*; a call;'

cat >"$SCRATCH/locked.c" <<'END'
char blocks[1 << 20];
unsigned long used;
void *malloc(unsigned long size)
{
    return blocks + __atomic_fetch_add(&used, (size + 31) & ~15ul, 5);
}
void free(void *p)
{
    __atomic_exchange_n(&used, (unsigned long)p & 0, 5);
}
void *calloc(unsigned long n, unsigned long size)
{
    return malloc(n * size);
}
END
gcc -O2 -fno-builtin -fPIC -shared -o "$SCRATCH/locked.so" "$SCRATCH/locked.c"
try hitpath --limit 1000 "$SCRATCH/locked.so" 24
expect_output "a locked instruction is seen" 1 \
    'malloc\(24\): .*; a locked instruction$'
expect_output "so is an exchange" 1 'free\(24\): .*; a locked instruction$'

try hitpath libmm-none.so
expect_output "a library that is missing is named" 1 \
    '^hitpath.py: found no libmm-none.so: make preload$'
STEP=$SCRATCH/step
try hitpath libmm-arena.so
expect_output "so is the program that is stepped" 1 \
    "^hitpath.py: found no $SCRATCH/step: make $SCRATCH/step\$"
finish
