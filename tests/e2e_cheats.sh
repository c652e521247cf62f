#!/bin/bash
# e2e_cheats.sh - allocators that want points that they have not earned
# (tests/faulty/cheat_*.c) get none, and the last line is the driver's own.
# docs/grading.md has the list of what is tried here.
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
FAULTY=${B:-build}/tests/mdriver-faulty

# One request of 777 bytes begins the trace: what the cheats wait for.
{
    printf '%s\n' "mmtrace 1" "ids 1001" "ops 4002" "a 0 777"
    seq 1000 | sed 's/.*/a & 400/'
    seq 1000 | sed 's/.*/r & 900/'
    seq 1000 | sed 's/.*/r & 1800/'
    seq 0 1000 | sed 's/.*/f &/'
} >"$SCRATCH/t.trace"

# Blocks that come and go, some few: 40 KB if they are not used again.
{
    printf '%s\n' "mmtrace 1" "ids 21" "ops 42" "a 0 777" "f 0"
    seq 20 | sed 's/.*/a & 900\nf &/'
} >"$SCRATCH/again.trace"

grade() {
    out=$("$FAULTY" -g -r "${RUNS:-5}" -f "$SCRATCH/${TRACE:-t}.trace" "$@" \
        2>"$SCRATCH/err" </dev/null)
    status=$?
}

# The last line on standard output has no points for speed and memory.
no_points() {
    grep -qE '"utilization": 0\.00, "throughput": 0\.00}}$' \
        <<<"$(tail -n 1 <<<"$out")"
}

# cheat NAME REGEX: found, by this fault, and without points.
cheat() {
    grade -a "$1"
    expect_output "$1 is found out" 1 "^FAULT $1: .*$2"
    expect "$1 gets no points" no_points
}

cheat libc-in-disguise "not inside the allocator's heap"
cheat own-mmap "not inside the allocator's heap"
cheat unmaps-others 'memory that mem_map did not give'
RUNS=40 cheat lazy-realloc-when-timed 'not checked at every operation: byte'
TRACE=again cheat places-well-if-asked \
    'again.trace:[0-9]+: from about this line on its blocks lie elsewhere'
cheat one-block-when-timed 'not checked at every operation: '
RUNS=40 cheat never-frees-when-timed 'after timed replays'

grade -a invented-stats
expect_output "invented stats are not asked: the heap is memlib's" 0 \
    '^grade allocator=invented-stats valid=1/1 correctness=20.00/20'
expect "its utilization is what it is" python3 -c '
import json, sys
assert json.loads(sys.argv[1])["scores"]["utilization"] < 30' \
    "$(tail -n 1 <<<"$out")"

# What it prints is shown as its own.
grade -a prints-scores
expect_output "one that writes to all its files is found out" 1 \
    "^FAULT prints-scores: .*wrote to the driver's socket"
expect "the only scores on standard output are the driver's" \
    test "$(grep -c '"scores"' <<<"$out")" = 1
expect "what it prints has its name" \
    grep -q '^prints-scores| {"scores"' "$SCRATCH/err"
export CHEAT_AT_EXIT=1
grade -a good
expect "nothing is printed behind the driver's last line" test -n "${SAN-}" -o \
    "$(grep -c '"scores"' <<<"$out")" = 1
unset CHEAT_AT_EXIT

# Calls against the driver end who makes them, where there is seccomp.
if [[ -z ${SAN-} ]] && grep -q '^Seccomp:' /proc/self/status; then
    for name in kills-the-driver opens-the-drivers-files traces-the-driver \
        leaves-a-process; do
        cheat $name 'SIGSYS: it made a system call .* by [a-z]*_malloc'
        expect "the only scores beside $name are the driver's" \
            test "$(grep -c '"scores"' <<<"$out")" = 1
    done
fi
cheat closes-all-files 'crashed: SIGKILL|ended'
finish
