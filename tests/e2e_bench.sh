#!/bin/bash
# e2e_bench.sh - the stress programs, measure.py and bench.sh: what is measured,
# what a faulty allocator looks like, and that an interrupted run goes on.
#
# alone: it builds in the tree
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
R=$SCRATCH/results

# rows CSV EXPRESSION: is it true of the list r of its rows?
rows() {
    python3 -c 'import sys
sys.path.insert(0, "scripts")
import result_file
comment, r = result_file.read(sys.argv[1])
sys.exit(not eval("(" + sys.argv[2] + ")"))' "$1" "$2"
}
library() { # NAME FLAG...
    "${CC:-gcc}" -O1 -shared -fPIC -fno-builtin -o "$SCRATCH/$1.so" \
        "${@:2}" tests/peers/forward.c || not_ok "$1.so is built" "see above"
}
library good
library crash '-DFAULT=raise(SIGSEGV)'
library hang '-DFAULT=for (;;) pause()'
library twice \
    '-DFAULT=static void *p; if (!p) p = __libc_malloc(size); return p'
library damage -DDAMAGE=200

# ---- stress programs ---------------------------------------------------------
for program in build/bench/*; do
    name=$(basename "$program")
    [[ $name != launch ]] || continue
    for n in 1 3; do
        try "$program" $n 2
        expect_output "$name runs, $n thread(s)" 0 "^$name: ops=[1-9][0-9]+$"
        first=$out
        try "$program" $n 2
        expect "$name does the same again, $n thread(s)" test "$out" = "$first"
    done
done
for name in larson handover mix mstress phases; do
    LD_PRELOAD=$SCRATCH/damage.so try "build/bench/$name" 1 2
    expect_output "$name notices a damaged block" 1 \
        'error: a block was damaged while it was live'
done
try build/bench/mix 0
expect_output "no threads are refused" 1 'expected NAME \[THREADS \[PERCENT\]\]'

# ---- one program under several allocators ------------------------------------
measure() { # PROGRAM... with $allocators
    try scripts/measure.py -o "$SCRATCH/o.csv" --name it -r 2 -s 2 \
        -a "$allocators" -- "$@"
}
# 100 MB that are written, or not; a malloc of 777 bytes.
cat >"$SCRATCH/eater.c" <<'END'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    size_t size = 100000000;
    char *p = malloc(size), *q = malloc(777), *r = malloc(777);
    if (argc > 1)
        memset(p, argv[1][0], size);
    printf("ops=3 %d\n", q == r);
}
END
gcc -fno-builtin -o "$SCRATCH/eater" "$SCRATCH/eater.c"
S=$SCRATCH
allocators=libc,$S/good.so,$S/crash.so,$S/hang.so,$S/twice.so
measure "$SCRATCH/eater" x
expect_output "a crash is a fault" 1 'FAULT crash: it, .* ends with SIGSEGV'
expect_output "a hang is a fault" 1 'FAULT hang: it, .* does not end in time'
expect_output "another output is a fault" 1 'FAULT twice: .* prints somethi'
expect "only good ones have times" rows "$SCRATCH/o.csv" \
    '[(x["allocator"], x["status"], len(x["samples"].split(";"))) for x in r] ==
     [("libc", "valid", 2), ("good", "valid", 2), ("crash", "crash", 1),
      ("hang", "hang", 1), ("twice", "output", 1)]'
expect "libc is the reference, and its operations are counted" \
    rows "$SCRATCH/o.csv" 'r[0]["vs_libc"] == "1" and r[0]["ops"] == "3"'
expect "the peak of memory is that of what was written" rows "$SCRATCH/o.csv" \
    'all(100e6 < int(x["resident_peak"]) < 120e6 for x in r[:2])'
allocators=libc
measure "$SCRATCH/eater"
expect "and of nothing else" rows "$SCRATCH/o.csv" \
    'int(r[0]["resident_peak"]) < 8e6'
measure sh -c 'echo a
echo b'
expect "a command of several lines makes a file that can be read" \
    rows "$SCRATCH/o.csv" 'r[0]["status"] == "valid"'
measure false
expect_output "a program that fails by itself is no allocator's fault" 1 \
    'it: even with libc it ends with exit 1'
allocators=libc,nope
measure true
expect_output "an unknown allocator is named" 1 "no allocator is called 'nope'"
allocators=libc,null
measure true
expect_output "one that is no library is left out" 0 'null is linked into mdri'

# ---- the matrix --------------------------------------------------------------
D=$SCRATCH/traces
mkdir "$D"
printf '%s\n' "mmtrace 1" "ids 2" "ops 4" "a 0 10" "a 1 50" "f 0" "f 1" \
    >"$D/one.trace"
printf '%s\n' "mmtrace 1" "ids 2" "ops 4" "a 0 10" "a 1 50" "f 0" "f" \
    >"$D/two.trace"
bench() {
    try scripts/bench.sh -a "libc,$SCRATCH/good.so" -n 1,2 -r 2 \
        -t "$D" -p 1 -o "$R" "$@"
}
bench -l traces
expect "-l lists the cells of a part, each with its threads" test "$out" = \
    "$(printf 'traces %s\n' {one,two}.trace\ {1,2})"
bench -l -k mix
expect "and those of all parts that -k chooses" test "$out" = \
    "$(printf '%s\n' 'stress mix '{1,2})"
expect "and measures nothing" test ! -e "$R"
bench traces
expect_output "a cell that cannot be measured ends the run" 2 \
    'traces two\.trace, 1 threads: cannot be measured'
expect_output "and says why" 2 'two\.trace:7: '
kept=$(echo build/bench-state/*/traces,one.trace,1.csv)
expect "what was measured before is kept" test -s "$kept"
measured=$(cat "$kept")
sed -i 's/^f$/f 1/' "$D/two.trace"
bench traces
expect_output "the same command goes on" 0 '^bench\.sh: 4 cells in '
expect "with what it had" grep -qF "$(tail -n 1 <<<"$measured" | tr , '\n' |
    grep '[0-9] [0-9]')" "$R/traces.csv"
expect "nothing is kept of a run that is finished" test ! -e "$kept"
expect "the first line says where the figures are from" grep -Eq \
    '^# command: scripts/bench\.sh -a .*; commit: [^;]+; machine: .*; date: 2' \
    "$R/traces.csv"
expect "and what else the machine had to do" grep -q 'load: [0-9.]* before; d' \
    "$R/traces.csv"
expect "there is a row for each trace, thread count and allocator" \
    rows "$R/traces.csv" \
    '[(x["trace"], x["threads"], x["allocator"]) for x in r] == [(t, n, a)
     for t in ("one", "two") for n in "12" for a in ("libc", "good")]'
expect "two threads do twice the work, and speedup counts it" \
    rows "$R/traces.csv" 'r[2]["ops"] == "8" and r[2]["copies"] == "2" and
    abs(float(r[2]["speedup"]) * float(r[2]["secs"]) / float(r[0]["secs"]) - 2)
    < .001'
expect "latency and memory are in it" rows "$R/traces.csv" \
    'all(x["malloc_p99_ns"] and x["payload_peak"] for x in r)'
bench own traces
expect_output "each thread with its own trace: a cell for several threads" 0 \
    '^bench\.sh: 5 cells in '
expect "a round of it is a row, and names its traces" rows "$R/own.csv" \
    '[(x["threads"], x["round"], x["traces"], x["allocator"], x["status"])
     for x in r] == [("2", "1", "one two", a, "valid")
                     for a in ("libc", "good")]'
expect "both traces were replayed, in so many rounds, and libc is 1" \
    rows "$R/own.csv" 'all(x["ops"] == "8" and
    len(x["samples"].split(";")) == 2 for x in r) and r[0]["vs_libc"] == "1"
    and abs(float(r[1]["vs_libc"]) * float(r[1]["secs"]) / float(r[0]["secs"])
            - 1) < .001'
expect "its speedup is over the same traces one after the other" python3 -c '
import sys
sys.path.insert(0, "scripts")
import result_file
alone = sum(float(x["secs"]) for x in result_file.read(sys.argv[1])[1]
            if x["threads"] == "1" and x["allocator"] == "good")
own = result_file.read(sys.argv[2])[1][1]
assert abs(float(own["speedup"]) * float(own["secs"]) / alone - 1) < .001
' "$R/traces.csv" "$R/own.csv"
try scripts/compare.py "$R/own.csv:libc" "$R/own.csv:good"
expect_output "compare.py reads it" 0 '^good +2  1 .* fewer than 5 rounds'
bench own
expect "also if these were measured before" rows "$R/own.csv" \
    'all(float(x["speedup"]) > 0 for x in r)'
bench -k one own
expect "-k chooses among its traces; two threads then share one" \
    rows "$R/own.csv" '{x["traces"] for x in r} == {"one one"}'
bench -k one -r 2,1 -n "1,$(($(nproc) + 1))" traces
expect "-r has a number for cells with more threads than processors" \
    rows "$R/traces.csv" \
    '[len(x["samples"].split(";")) for x in r] == [2, 2, 1, 1]'
bench -r 2,0 traces
expect_output "no rounds are refused" 2 "option -r: found '2,0'"
bench -k 'mi[xd]' stress
expect_output "-k chooses by name" 0 '^bench\.sh: 2 cells in '
expect "a stress program has a row for each, too" rows "$R/stress.csv" \
    '[(x["program"], x["threads"], x["allocator"]) for x in r]
    == [("mix", n, a) for n in "12" for a in ("libc", "good")]'
bench -k perl programs
expect_output "a real program is measured" 0 "cells in"
expect "a real program has its own threads" rows "$R/programs.csv" \
    '[(x["program"], x["threads"], x["status"]) for x in r]
    == [("perl", "1", "valid")] * 2'
expect "the JSON has all parts" python3 -c '
import json, sys
j = json.load(open(sys.argv[1]))
assert list(j) == ["traces", "own", "stress", "programs"]
assert j["traces"]["rows"][0]["threads"] == 1
assert len(j["stress"]["rows"][0]["samples"]) == 2
assert "scripts/bench.sh" in j["programs"]["origin"]' "$R/bench.json"
bench -k no
expect_output "a name that nothing has is refused" 2 "nothing is called 'no'"
bench marble
expect_output "an unknown part is refused" 2 "no part is called 'marble'"
bench -x
expect_output "an unknown option is refused" 2 'unknown option -x'
script -qec "scripts/bench.sh -a libc -n 1 -r 1 -t '$D' -o '$R' traces" \
    /dev/null </dev/null >"$SCRATCH/tty" 2>&1
expect "on a terminal it says how far it is" \
    grep -q '2 of 2, .* gone, about .* left: two' "$SCRATCH/tty"
finish
