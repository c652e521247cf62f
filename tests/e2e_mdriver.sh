#!/bin/bash
# e2e_mdriver.sh - every option of mdriver: what is run, and what is printed.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
. tests/mdriver_results.sh
D=$SCRATCH/traces
mkdir "$D"

# 400 blocks made and freed; blocks that change hands; blocks that are left.
{
    printf '%s\n' "mmtrace 1" "ids 400" "ops 800"
    seq 0 399 | sed 's/.*/a & 100/'
    seq 0 399 | sed 's/.*/f &/'
} >"$D/churn.trace"
printf '%s\n' "mmtrace 1" "ids 2" "ops 5" "threads 2" "a 0 64" "a 1 8" \
    "@1 f 0" "@1 r 1 900" "@0 f 1" >"$D/crossing.trace"
printf '%s\n' "mmtrace 1" "ids 3" "ops 4" "a 0 10" "c 1 3 5" "m 2 64 100" \
    "r 0 5000" >"$D/leaves.trace"

run() {
    try "$MDRIVER" -r 2 "$@"
}

# ---- what to replay ----------------------------------------------------------
run -t "$D"
expect_output "-t replays every trace of a directory" 0 '^churn +yes'
expect_output "-t finds the last of them too" 0 '^leaves +yes'
expect_output "the summary counts what was valid" 0 '^[a-z-]+ +1 +3/3 '
expect_output "the summary compares with libc" 0 '^libc +1 +3/3 .* 1\.00x'

run -f "$D/churn.trace" -f "$(realpath "$D/leaves.trace")"
expect_output "-f is repeatable and takes absolute paths" 0 '^leaves +yes'
run -t "$D" -f "$D/churn.trace"
expect_output "-t and -f add up" 0 '^[a-z-]+ +1 +4/4 '

run -t "$D" -n 16 --csv "$SCRATCH/o.csv"
expect_output "16 threads share three traces" 0 'round 1: 16 threads +yes'
expect "each of them has as many as fit, in turn" \
    test "$(cell copy churn libc)" = "0 1 2 3"
run -t "$D" -n 2 --csv "$SCRATCH/o.csv"
expect "more traces than threads make rounds" \
    test "$(cell round crossing libc)" = 2
expect "a threaded trace has its threads" \
    test "$(cell lanes crossing libc)" = 2
run -t "$D" -n 1,3
expect_output "-n takes a list: one thread" 0 '^[a-z-]+: 1 thread$'
expect_output "-n takes a list: three threads" 0 '^[a-z-]+: 3 threads, each'
expect_output "with one thread in the list there is a speedup" 0 \
    '^libc +3 .* [0-9.]+x +[0-9.]+x$'
run -t "$D" -n 256 -d 0 -a libc
expect_output "256 threads are run" 0 '^libc +256 +[0-9]+/'
run -t "$D" -n 5 --same --csv "$SCRATCH/o.csv"
expect_output "--same gives a trace to all threads" 0 '^churn +yes .* 4000 '
expect "--same makes copies of a threaded trace that fit" \
    test "$(cell copy crossing libc)" = "0 1"
run -t "$D" -n 2 --pin
expect_output "--pin keeps threads on processors, and all is valid" 0 \
    '^[a-z-]+ +2 +3/3 '

# ---- the stages, side by side ------------------------------------------------
run -t "$D" -n 2
for name in global per-thread arena lockfree libc; do
    expect_output "without -a the summary has $name" 0 "^$name +2 +3/3 "
done
expect_output "and says what to see in it" 0 '^What to see: '
expect_output "of each stage" 0 '^  lockfree +no locks: '
expect_output "with threads, who falls behind" 0 'global falls behind libc'
run -t "$D"
expect_output "with one thread, that it takes more" 0 \
    '^With one thread .* -n 16'
run -t "$D" -a arena
expect "who chooses is not told" test "${out/What to see/}" = "$out"
expect "and gets what was chosen" test "${out/global/}" = "$out"

# ---- with what ---------------------------------------------------------------
try "$MDRIVER" --list
expect_output "--list names the allocators" 0 '^libc +the C library'
run -f "$D/churn.trace" -a libc
expect_output "-a chooses" 0 '^libc: 1 thread$'
expect "with -a libc there is only libc" \
    test "$(grep -c ': 1 thread$' <<<"$out")" = 1
run -f "$D/churn.trace" -a all
expect "-a all leaves the no-op allocator out" \
    test -z "$(grep '^null' <<<"$out")"
run -f "$D/churn.trace" -a null
expect_output "the no-op allocator can be named, and is not checked" 0 \
    '^churn +- +- '
run -f "$D/churn.trace"
expect "without -l libc has no table" test -z "$(grep '^libc: ' <<<"$out")"
run -f "$D/churn.trace" -l
expect_output "-l shows libc's table" 0 '^libc: 1 thread$'

# ---- how ---------------------------------------------------------------------
for level in 0 1 2; do
    run -t "$D" -n 3 -d $level
    expect_output "-d $level finds nothing in a good allocator" 0 \
        '^[a-z-]+ +3 +3/3 '
done
try "$MDRIVER" -f "$D/churn.trace" -r 7 --csv "$SCRATCH/o.csv"
expect "-r times so many runs" test "$(cell runs churn libc)" = 7
try "$MDRIVER" -f "$D/churn.trace" --csv "$SCRATCH/o.csv"
expect "without -r there are at least five runs" \
    test "$(cell runs churn libc)" -ge 5
expect "the CSV has the time of each run" \
    test "$(cell round_samples churn libc | wc -w)" -ge 5
run -t "$D" -n 2 --latency --csv "$SCRATCH/o.csv" --json "$SCRATCH/o.json"
expect_output "--latency prints percentiles of malloc" 0 \
    '^libc +2 malloc +[0-9]'
expect_output "--latency prints those of free apart" 0 '^libc +2 free +[0-9]'
for option in csv json; do
    "$MDRIVER" -f "$D/churn.trace" -r 2 --$option - >"$SCRATCH/o" \
        2>"$SCRATCH/tables"
    expect "--$option - writes the results, and nothing else, to stdout" \
        python3 - "$SCRATCH/o" "$option" <<'END'
import csv, json, sys
with open(sys.argv[1]) as f:
    if sys.argv[2] == "json":
        assert json.load(f)["sections"]
    else:
        rows = list(csv.reader(l for l in f if l[0] != "#"))
        assert len(rows) > 2 and len({len(r) for r in rows}) == 1
END
    expect "--$option - prints the tables to stderr" \
        grep -q '^libc  *1 ' "$SCRATCH/tables"
done
expect "--latency is in the CSV" test "$(cell free_p99_ns churn libc)" != ""
expect "--latency is in the JSON" json \
    'j["sections"][0]["allocators"][-1]["latency"]["free"]["p99_ns"] > 0'

# ---- what to print -----------------------------------------------------------
run -t "$D" -v
expect_output "-v describes the traces" 0 '^crossing +5 +2 +2 '
expect_output "-v gives the bytes behind the figures" 0 '^  churn +40\.0 KB '
expect_output "-v gives what blocks hold beyond what was asked for" 0 \
    '^  churn +40\.0 KB +[0-9.]+ KB +[0-9.]+% '
run -f "$D/churn.trace" -v -d 0
expect_output "without checks nobody has asked for that" 0 \
    '^  churn +40\.0 KB +[0-9.]+ KB +- '
run -t "$D" -V -n 3
expect_output "-V measures the driver's own loop" 0 \
    "driver's own loop, 1 thread: [0-9.]+ ns"
expect_output "-V compares with one thread" 0 '^[a-z-]+: 1 thread$'
expect "no line is longer than 100 columns" \
    test -z "$(awk 'length > 100' <<<"$out")"
run -t "$D" -g
expect_output "-g prints one line for an autograder" 0 '^grade allocator='
expect "-g ends with scores as Autolab reads them" python3 -c '
import json, sys
assert json.loads(sys.argv[1])["scores"]' "$(tail -n 1 <<<"$out")"
try "$MDRIVER" -h
expect_output "-h explains the options" 0 '^  -n, --threads'
try "$MDRIVER" --help
expect_output "--help does too" 0 '^Exit status:'

run -t "$D" -n 1,4 --csv "$SCRATCH/o.csv" --json "$SCRATCH/o.json"
expect "the CSV begins with command, date and machine" grep -Eq \
    '^# command: .*mdriver -r 2 .*; date: 2[0-9-]+T[0-9:]+Z; machine: ' \
    <(head -n 1 "$SCRATCH/o.csv")
expect "every line of the CSV has as many columns" python3 -c '
import csv, sys
rows = list(csv.reader(l for l in open(sys.argv[1]) if l[0] != "#"))
assert len(rows) > 8 and len({len(r) for r in rows}) == 1' "$SCRATCH/o.csv"
expect "the JSON has the command, the date and the machine" json \
    'j["command"] and j["date"] and j["machine"] and j["processors"] > 0'
expect "the JSON has the summary of each number of threads" json \
    '[s["threads"] for s in j["sections"]] == [1, 4] and all(
        a["summary"]["valid"] > 0 for s in j["sections"]
        for a in s["allocators"])'
expect "the JSON has the time of each run, in order" json \
    'all(len(r["samples"]) == r["secs"]["runs"] == 2 and
         r["secs"]["best"] == min(r["samples"])
         for s in j["sections"] for a in s["allocators"] for r in a["rounds"])'
# Each size once: what buddy's blocks of 5/8 and 3/4 are for.
{
    printf 'mmtrace 1\nids 4096\nops 4096\n'
    seq 4096 | sed 's/.*/a & &/' | awk '{ print $1, $2 - 1, $3 }'
} >"$SCRATCH/sizes.trace"
try "$MDRIVER" -r 2 -f "$SCRATCH/sizes.trace" -a buddy,buddy-plain \
    --csv "$SCRATCH/s.csv" --json "$SCRATCH/s.json"
expect "buddy wastes at least a third less than buddy-plain" python3 -c '
import csv, json, sys
rows = csv.DictReader(l for l in open(sys.argv[1]) if l[0] != "#")
slack = {r["allocator"]: float(r["slack"]) for r in rows}
assert 0.1 < slack["buddy"] <= 2 / 3 * slack["buddy-plain"] < 0.3, slack
for a in json.load(open(sys.argv[2]))["sections"][0]["allocators"]:
    assert abs(a["rounds"][0]["slack"] - slack[a["name"]]) < 1e-6, a
' "$SCRATCH/s.csv" "$SCRATCH/s.json"

expect "utilization is payload over heap" json \
    'all(abs(r["utilization"] - r["payload_peak"] / r["heap_peak"]) < 1e-6
         for s in j["sections"] for a in s["allocators"] for r in a["rounds"]
         if r["utilization"])'
expect "the peak payload of one thread is the trace's own" json \
    'all(r["payload_peak"] == 40000
         for a in j["sections"][0]["allocators"] for r in a["rounds"]
         if r["parts"][0]["trace"] == "churn")'

# Bytes in a name that are no UTF-8 do not spoil the JSON.
cp "$D/churn.trace" "$SCRATCH/"$'\xff'.trace
run -f "$SCRATCH/"$'\xff'.trace --json "$SCRATCH/o.json"
expect "a file name that is no UTF-8 makes valid JSON" json \
    'j["traces"][0]["name"] == "?"'
finish
