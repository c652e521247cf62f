#!/bin/bash
# e2e_counting.sh - how often threads meet in the lock-free stage: counted, by a
# build of its own (make COUNT=1), so that a slow machine changes nothing.
#
#   local traffic        at most 0.01 read-modify-writes per operation
#   all-remote traffic   at most 0.1; neither grows with the threads
cd "$(dirname "$0")/.." || exit 1
. tests/lib.sh
counting=build-count/mdriver

try "$MDRIVER" --count -t traces
expect_output "a build that does not count says which does" 2 \
    'option --count: .*make COUNT=1'

# At -O1: that takes half the time, and what is counted is in the source.
env -u MAKELEVEL -u MAKEFLAGS -u B make COUNT=1 CC=gcc OPT=-O1 SAN= DEBUG= \
    $counting \
    >"$SCRATCH/make.log" 2>&1
expect "make COUNT=1 builds a driver" test -x $counting

# within NAME MOST FIELD TRACE...: FIELD of --count is at most MOST on 1, 2, 16
# and 64 threads.
within() {
    local name=$1 most=$2
    shift 2
    try $counting --count -d 0 -a lockfree "$@" --csv "$SCRATCH/counts.csv"
    expect_output "$name: counted" 0 '^lockfree counted: 64 threads'
    awk -F, -v most="$most" '
        !columns && /^threads/ { for (i = 1; i <= NF; i++) at[$i] = i
                                 columns = NF; next }
        columns && $at["allocator"] == "lockfree" {
            rmw[$1] += $at["rmw"]; ops[$1] += $at["ops"] * $at["counted_runs"]
        }
        END { for (n in ops) {
                  seen++
                  printf "%d threads: %.5f\n", n, rmw[n] / ops[n]
                  if (rmw[n] > most * ops[n]) bad = 1
              }
              exit bad || seen != 4 }' "$SCRATCH/counts.csv" \
        >"$SCRATCH/figures"
    local status=$?
    expect "$name: at most $most on 1, 2, 16 and 64 threads" \
        test $status -eq 0
    sed 's/^/#   /' "$SCRATCH/figures"
}

trace() {
    echo "-f traces/$1.trace.zst"
}

# Each thread has a trace and blocks of its own.
# shellcheck disable=SC2046
within "local" 0.01 $(trace gen-random) $(trace gen-string) \
    $(trace gen-struct) $(trace rec-perl-hash)
# Every block is freed by another thread than that which made it.
# shellcheck disable=SC2046
within "all-remote" 0.1 --same $(trace gen-producer-consumer-mt)
# And all threaded families together.
# shellcheck disable=SC2046
within "threaded families" 0.02 --same $(for t in lifetimes phases powerlaw \
    server thread-pool; do trace gen-$t-mt; done)

expect "the figures are in the JSON, too" python3 - $counting "$SCRATCH" <<'END'
import json, subprocess, sys
file = sys.argv[2] + "/counts.json"
subprocess.run([sys.argv[1], "--count", "-n", "2", "-d", "0", "-r", "1", "-f",
                "traces/gen-phases-mt.trace.zst", "-a", "lockfree", "--json",
                file], check=True, stdout=subprocess.DEVNULL)
section = json.load(open(file))["sections"][0]
counts = {a["name"]: a["rounds"][0]["parts"][0]["counts"]
          for a in section["allocators"]}
assert counts["lockfree"]["runs"] == 1 and counts["lockfree"]["rmw"] > 0, counts
assert counts["libc"] is None, counts
END
finish
