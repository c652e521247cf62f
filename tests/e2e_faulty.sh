#!/bin/bash
# e2e_faulty.sh - each allocator of tests/faulty is caught by mdriver, with one
# thread and with four, by the right kind of fault at the right line; and what
# stands after it in the list still gets its results.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
FAULTY=${B:-build}/tests/mdriver-faulty
place='0x[0-9a-f]+'

# trace NAME OPERATION...: operation i is in line 3 + i.
trace() {
    local name=$1 op nops=0
    shift
    for op; do [[ $op == @? ]] || ((nops += 1)); done
    printf '%s\n' "mmtrace 1" "ids ${IDS:-4}" "ops $nops" "$@" \
        >"$SCRATCH/$name.trace"
}

# With a sanitizer a process takes a second or two to end.
run_faulty() {
    local limit=20
    [[ $1 != hang ]] || limit=2
    try "$FAULTY" -s $limit -r 1 -f "$SCRATCH/$1.trace" \
        -a "$1,good" -n "$2" "${@:3}"
}

# The results of an allocator in $out that is not found faulty.
is_valid() {
    awk -v head="^$1: " '$0 ~ head { mine = 1; next } /^$/ { mine = 0 }
        mine && $2 == "yes" { found = 1 } END { exit !found }' <<<"$out"
}

# caught NAME LINE WHAT: WHAT is the message behind thread, file and line.
caught() {
    local n=$1 threads
    for threads in 1 4; do
        run_faulty "$n" $threads
        expect_output "$n is caught with $threads thread(s)" 1 \
            "^FAULT $n: thread [0-3]: .*/$n\.trace:$2: $3"
        expect "a good allocator after $n is valid, $threads thread(s)" \
            is_valid good
    done
}

trace null "a 0 10" "a 1 777" "f 0" "f 1"
caught null 5 'malloc\(777\) of block 1: NULL and errno'

trace misaligned "a 0 10" "a 1 777" "f 0" "f 1"
caught misaligned 5 \
    "malloc\(777\) of block 1: $place is not a multiple of 16"

trace memalign "m 0 4096 10" "m 1 4096 777" "f 0" "f 1"
caught memalign 5 \
    "memalign\(4096, 777\) of block 1: $place is not a multiple of 4096"

trace outside "a 0 10" "a 1 777" "f 0" "f 1"
caught outside 5 \
    "malloc\(777\) of block 1: 777 bytes at $place are not inside the"

trace overlap "a 0 5000" "a 1 5000" "a 2 777" "f 0" "f 1" "f 2"
caught overlap 6 "malloc\(777\) of block 2: its payload \(777 bytes at\
 $place\) overlaps live block [01] \(5000 bytes at $place.*overlap\.trace:[45]"

# Reused memory, so that there is something to be dirty.
trace dirty-calloc "a 0 777" "f 0" "c 1 7 111" "f 1"
caught dirty-calloc 6 \
    'calloc\(7, 111\) of block 1: calloc.ed but not zero: byte [0-9]+ of 777'

trace realloc-loses "a 0 100" "r 0 200" "r 0 777" "f 0"
caught realloc-loses 6 \
    'realloc\(\.\., 777\) of block 0: realloc lost data: byte 192 of 777'

# With one thread the block behind is known, with four it may be anyone's: even
# one that a thread has been given and not yet filled, or told the driver of.
# The first thread that frees has 8 blocks, and the three others hold at most
# one such block each: behind another of the 8 is one that the driver knows.
eight=()
for id in 0 1 2 3 4 5 6 7; do eight+=("a $id 777"); done
for id in 0 1 2 3 4 5 6 7; do eight+=("f $id"); done

trace free-corrupts "a 0 777" "a 1 900" "f 0" "a 2 3" "f 1" "f 2"
run_faulty free-corrupts 1
expect_output "free-corrupts is caught with 1 thread" 1 \
    'free-corrupts\.trace:8: free of block 1: its data changed while it was'
IDS=8 trace free-corrupts "${eight[@]}"
run_faulty free-corrupts 4
expect_output "free-corrupts is caught with 4 threads" 1 \
    '^FAULT free-corrupts: .* of block [0-7]: its data changed while it was'

trace usable-small "a 0 10" "a 1 777" "f 0" "f 1"
caught usable-small 5 \
    "malloc\(777\) of block 1: usable_size\($place\) is 776, expected at least"

trace usable-large "a 0 1000" "a 1 1000" "f 0" "a 2 777" "f 1" "f 2"
run_faulty usable-large 1
expect_output "usable-large is caught with 1 thread" 1 \
    "malloc\(777\) of block 2: its usable_size \(777 bytes at $place, 1088\
 usable\) overlaps live block 1"
IDS=8 trace usable-large "${eight[@]}"
run_faulty usable-large 4
expect_output "usable-large is caught with 4 threads" 1 \
    '^FAULT usable-large: .* 1088'

trace hang "a 0 10" "a 1 777" "f 0" "f 1"
caught hang 5 'malloc\(777\) of block 1: hangs'

try "$FAULTY" -s 6 -r 1 -f "$SCRATCH/hang.trace" -a hang -n 2
expect_output "one thread that is tried alone is not waited for so long" 1 \
    '^ +one thread alone hangs, too \(no operation finished in 5 s\): \./m'

trace crash "a 0 10" "a 1 777" "f 0" "f 1"
caught crash 5 \
    'malloc\(777\) of block 1: crashed: SIGSEGV at address 0x10 in crashing_mal'
trace crash "a 0 10" "a 1 778" "f 0" "f 1"
caught crash 5 \
    'malloc\(778\) of block 1: crashed: SIGSEGV at address NULL in crashing_mal'

trace quits "a 0 10" "a 1 777" "f 0" "f 1"
run_faulty quits 1
expect_output "an allocator that ends the process is caught" 1 \
    '^FAULT quits: .*the process ended itself'

trace check "a 0 10" "a 1 777" "f 0" "f 1"
run_faulty check 4
expect_output "broken invariants are found at quiescence" 1 \
    '^FAULT check: .*check found 1 broken invariant'
run_faulty check 1 -d 2
expect_output "with -d 2 broken invariants are found at their operation" 1 \
    '^FAULT check: .*/check\.trace:5: malloc\(777\) of block 1: .*check'

# Whichever thread is first, the other's block is live until it is freed here.
trace shared "threads 2" "a 0 777" "@1" "a 1 777" "f 0" "f 1"
sed -i -e 's/^ids 4/ids 2/' -e 's/^ops 5/ops 4/' "$SCRATCH/shared.trace"
run_faulty shared 1
expect_output "one block for two threads of a trace is an overlap" 1 \
    '^FAULT shared: .*malloc\(777\) of block [01]: its payload .* overlaps live'
run_faulty shared 2
expect_output "two threads that get one block: both are named" 1 \
    'FAULT shared: thread ([01]): .* block ([01]) \(777 .* of thread [01]'

# What costs time or memory without end is ended, and says where it is.
IDS=1 trace slow "a 0 777" "f 0" "a 0 777" "f 0" "a 0 777" "f 0" "a 0 777" \
    "f 0" "a 0 777" "f 0" "a 0 777" "f 0" "a 0 777" "f 0" "a 0 777" "f 0"
run_faulty slow 1 --limit 1
expect_output "a pass has so much time, wherever it gets on" 1 \
    '^FAULT slow: .*slow\.trace:[0-9]+: malloc.*too slow.*1 s of processor'
# With a sanitizer the driver lets eight times as much pass, and libc takes some
# 10 ms for each block.
most=500 pairs=8000
[[ -z ${SAN-} ]] || most=40 pairs=1000
{
    printf '%s\n' "mmtrace 1" "ids 1" "ops $((2 * pairs))"
    for ((i = 0; i < pairs; i++)); do printf '%s\n' "a 0 1000000" "f 0"; done
} >"$SCRATCH/keeps.trace"
run_faulty keeps 1 --memory $most
expect_output "one that never uses a block again is stopped in time" 1 \
    '^FAULT keeps: .*keeps\.trace:[0-9]+: .*too much memory.* is '$most' MiB'

# A race: each of two threads is right alone.
IDS=8 trace races "${eight[@]}"
run_faulty races 2
expect_output "a race is valid with one thread, and that is said" 1 \
    '^ +valid with -n 1: look for what threads share'

# After three faults it is given up, and the others go on.
for i in 1 2 3 4 5; do cp "$SCRATCH/null.trace" "$SCRATCH/null$i.trace"; done
five=(-f "$SCRATCH"/null1.trace)
for i in 2 3 4 5; do five+=(-f "$SCRATCH/null$i.trace"); done
try "$FAULTY" -r 1 "${five[@]}" -a null,good
expect_output "three faults are enough" 1 'null is given up after 3 faults'
expect "and no more are told" test "$(grep -c '^FAULT' <<<"$out")" = 3
expect_output "the others have all their results" 1 '^good +1 +5/5 '
try "$FAULTY" -r 1 "${five[@]}" -a null -l
expect_output "when none is left, the rest is left out" 1 \
    'no allocator is left: the rounds that remain'
expect_output "and not counted against libc" 1 '^libc +1 +3/3 '
try "$FAULTY" -r 1 "${five[@]}" -a null,good --keep-going
expect "--keep-going tries every trace" \
    test "$(grep -c '^FAULT' <<<"$out")" = 5

# A fault is told at once: while the next allocator hangs.
"$FAULTY" -s 30 -f "$SCRATCH/hang.trace" -a null,hang >"$SCRATCH/soon" 2>&1 &
pid=$!
wait_for grep -q '^FAULT null' "$SCRATCH/soon"
expect "a fault is told before the run is over" kill -0 $pid
kill $pid

# All of them at once: the driver outlives each, and counts what is good.
trace all "a 0 777" "a 1 777" "f 0" "r 1 100" "f 1"
sed -i 's/^ids 4/ids 2/' "$SCRATCH/all.trace"
# Without seccomp, as under a sanitizer, one would kill it, one stop it.
everyone=all
[[ -z ${SAN-} ]] || everyone=$("$FAULTY" --list | awk '
    /planted/ && $1 != "kills-the-driver" && $1 != "traces-the-driver" {
        printf "%s,", $1
    }')libc
try "$FAULTY" -s 5 -r 1 -f "$SCRATCH/all.trace" -a "$everyone" -n 2 -l
expect_output "a run of all faulty allocators ends with status 1" 1 '^Summary'
expect "the good one among them is valid" is_valid good
expect "libc at the end of them is valid" is_valid libc
finish
