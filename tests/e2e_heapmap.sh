#!/bin/bash
# e2e_heapmap.sh - mdriver --heapmap, from a trace to a CSV file.
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

cat >"$SCRATCH/t.trace" <<'END'
mmtrace 1
ids 3
ops 6
a 0 1000
a 1 2000
f 0
r 1 3000
c 2 2 50
f 1
END
map=$SCRATCH/map.csv

# column NAME ALLOCATOR KIND: its values, in one line
column() {
    python3 - "$map" "$@" <<'END'
import csv, sys
path, column, allocator, kind = sys.argv[1:5]
rows = csv.DictReader(l for l in open(path) if not l.startswith("#"))
print(*[r[column] for r in rows
        if r["allocator"] == allocator and r["kind"] == kind])
END
}

try "$MDRIVER" -f "$SCRATCH/t.trace" -a global,libc --heapmap "$map"
expect_output "it prints nothing when all is well" 0 '^$'
expect "the first line says where it is from" \
    grep -q '^# command: .*--heapmap.*date: .*machine: ' "$map"
for a in global libc; do
    expect "$a: a sample after each operation of a short trace" \
        test "$(column ops $a live)" = "1 2 3 4 5 6"
    expect "$a: the payload is the trace's" \
        test "$(column payload $a live)" = "1000 3000 2000 3000 3100 100"
done
expect "the heap of global is known" \
    test "$(column heap global live | tr ' ' '\n' | sort -n | head -1)" -ge 1000
expect "a row that had its block is in use, and then not" \
    test "$(column row0 global live | cut -d' ' -f1)" -ge 50

try "$MDRIVER" -f "$SCRATCH/t.trace" -n 4 --heapmap "$map"
expect_output "more threads are refused" 2 'option --heapmap: .* not -n 4'
if [[ -z ${SAN-} ]]; then # a build with sanitizers refuses libraries anyway
    "${CC:-gcc}" -shared -fPIC -o "$SCRATCH/x.so" tests/peers/forward.c
    try "$MDRIVER" -f "$SCRATCH/t.trace" -a "$SCRATCH/x.so" --heapmap "$map"
    expect_output "a library is refused" 2 \
        'heapmap: .* is a library: LD_PRELOAD it'
fi
try "$MDRIVER" -f "$SCRATCH/t.trace" --heapmap "$SCRATCH/no/map.csv"
expect_output "a path that cannot be written is named" 2 'no/map.csv: cannot'
try "$MDRIVER" -f "$SCRATCH/t.trace" --heapmap /dev/full
expect_output "a full disk is an error" 2 '/dev/full: cannot write'

printf '%s\n' "mmtrace 1" "ids 3" "ops 4" "a 0 5000" "a 1 5000" "a 2 777" \
    "f 0" >"$SCRATCH/fault.trace"
for kind in crash overlap hang; do
    try "${B:-build}/tests/mdriver-faulty" -a $kind,good -s 2 \
        -f "$SCRATCH/fault.trace" --heapmap "$map"
    expect_output "$kind: an allocator that is wrong is named" 1 \
        "^FAULT $kind: $kind: .*fault\.trace"
    expect "$kind: the next one's map is there" \
        test "$(column ops good live)" = "1 2 3 4"
done
finish
