#!/bin/bash
# e2e_count.sh - mdriver --once, and scripts/count.sh that counts instructions.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
D=$SCRATCH/traces
mkdir "$D"
{
    printf '%s\n' "mmtrace 1" "ids 400" "ops 800"
    seq 0 399 | sed 's/.*/a & 777/'
    seq 0 399 | sed 's/.*/f &/'
} >"$D/churn.trace"
printf '%s\n' "mmtrace 1" "ids 3" "ops 4" "threads 2" "a 0 10" "@1 c 1 3 5" \
    "@0 m 2 64 100" "@1 r 0 5000" >"$D/leaves.trace"
library() { # NAME FLAG...
    "${CC:-gcc}" -O1 -shared -fPIC -fno-builtin -o "$SCRATCH/$1.so" \
        "${@:2}" tests/peers/forward.c || not_ok "$1.so is built" "see above"
}
library good
library null '-DFAULT=errno = ENOMEM; return NULL'
library work '-DFAULT=for (volatile int i = 0; i < 1000; i++)'

# ---- mdriver --once --------------------------------------------------------
try ./mdriver --once -t "$D" -a arena,libc
expect_output "--once replays each trace with each allocator" 0 \
    '^libc: leaves: ops=4$'
expect "and prints a line for each" test "$(wc -l <<<"$out")" = 4
try ./mdriver --once -f "$D/churn.trace" -a "$SCRATCH/good.so"
expect_output "--once takes no library: it has no second process" 2 \
    'mdriver: option --once: found good, a library, expected one of'
LD_PRELOAD=$SCRATCH/null.so try ./mdriver --once -f "$D/churn.trace" -a libc
expect_output "--once notices that an allocator has no memory" 1 \
    '^FAULT libc: thread 0: .*churn\.trace:4: NULL for 777 bytes'

try env -u MAKEFLAGS -u MAKELEVEL make -n results
expect_output "make results counts, too" 0 '^scripts/count\.sh$'
for machine in aarch64 riscv64; do
    if command -v "qemu-$machine" "$machine-linux-gnu-gcc" >/dev/null; then
        expect_output "and for $machine" 0 "scripts/count\.sh -m $machine &&"
    else
        echo "ok - and for $machine # SKIP no qemu or compiler for it here"
    fi
done

# ---- count.sh --------------------------------------------------------------
cell() { # COLUMN TRACE ALLOCATOR
    awk -F, -v column="$1" -v trace="$2" -v allocator="$3" '/^#/ { next }
        !n { n = split($0, name, ","); next }
        $1 == trace && $2 == allocator { for (i = 1; i <= n; i++)
            if (name[i] == column) print $i }' "$SCRATCH/o.csv"
}
between() { # LEAST VALUE MOST
    awk -v a="$1" -v x="$2" -v b="$3" 'BEGIN { exit !(a <= x && x <= b) }'
}
count() {
    try scripts/count.sh -t "$D" -o "$SCRATCH/o.csv" "$@"
}
count -a "arena,libc,$SCRATCH/good.so,$SCRATCH/work.so"
expect_output "count.sh says what an operation costs" 0 '^arena +[0-9]+\.[0-9]$'
expect "the first line says where the figures are from" grep -q \
    '^# command: scripts/count.sh -t .*; commit: .*; machine: .*; date: 2' \
    "$SCRATCH/o.csv"
expect "there is a row for each trace and allocator" \
    test "$(wc -l <"$SCRATCH/o.csv")" = 10
expect "operations are counted" test "$(cell ops churn arena)" = 800
expect "a figure is one of an operation" between 10 \
    "$(cell per_op churn arena)" 3000
expect "the loop's own is not in it" between 5 \
    "$(cell loop_per_op churn libc)" 100
# A loop of 1000 turns in every malloc, half of the operations: it is found.
good=$(cell instructions churn good)
work=$(cell instructions churn work)
expect "what a library executes is counted" between 1200000 \
    $((work - good)) 4800000
first=$(cell instructions churn arena)
count -a arena -k 'ch*'
expect "-k chooses traces" test "$(wc -l <"$SCRATCH/o.csv")" = 3
expect "the same again gives the same, to a thousandth" between \
    $((first * 999 / 1000)) "$(cell instructions churn arena)" \
    $((first * 1001 / 1000 + 1))
count -a "$SCRATCH/null.so,libc"
expect_output "an allocator that fails has a line" 1 \
    'null does not finish .*/churn\.trace: .*FAULT libc: .* NULL for 777'
expect "its row has no figure" test "$(cell status churn null)" = "exit"
expect "and that of others has" between 1 "$(cell per_op churn libc)" 3000
mkdir "$SCRATCH/lib"
"${CC:-gcc}" -shared -o "$SCRATCH/lib/libjemalloc.so.2" -x c /dev/null
LD_LIBRARY_PATH=$SCRATCH/lib count -a libc,jemalloc -k 'ch*'
expect_output "one that is not installed is left out, with its package" 0 \
    'jemalloc is not installed: apt-get install libjemalloc2; it is left out'
count -a nope
expect_output "an unknown allocator is named" 2 "no allocator is called 'nope'"
count -m vax
expect_output "an unknown machine is named" 2 \
    "found the machine 'vax', expected aarch64 or riscv64"
count -a libc -k nope
expect_output "a pattern that nothing matches is named" 2 "is called 'nope'"
finish
