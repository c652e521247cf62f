#!/bin/bash
# plot.sh - draws the charts in results/ from the CSV files in results/.
#
#   scripts/plot.sh [DIR]              all charts, as SVG and PNG, into DIR; of
#                                      DIR's CSV files (default: results)
#   scripts/plot.sh FILE.csv OUT.svg|OUT.png [ALLOCATOR]
#                                      one chart of one allocator's results
#
# lab            memory and speed of the allocator that libmm.so is, beside libc
#                (in the README)
# speedup        over threads, with the ideal line; and against libc
# own            the same, if each thread has its own trace
# throughput     of each trace, against libc
# memory         utilization and resident memory of each trace
# scatter        speed against memory, a point for each allocator
# latency        percentiles of malloc and free
# stress         stress programs: time and peak of memory
# programs       real programs: the same
# instructions   of an operation, by callgrind
# heapmap        address x time: live, headers, free
# fragmentation  heap and live bytes over time
# sizes          sizes and lifetimes of the blocks of each trace
# crossing       cross-thread frees of each trace
#
# A chart is drawn if there are figures for it: scripts/plot_data.py takes them
# from whatever CSV files are there, of bench.sh, count.sh, mdriver and
# trace_stats.py.
set -euo pipefail
cd "$(dirname "$0")/.."
export LC_ALL=C.UTF-8    # µs in labels

command -v gnuplot >/dev/null || {
    echo "plot.sh: gnuplot is missing: apt-get install gnuplot-nox" >&2
    exit 1
}
if (($# >= 2)); then
    exec scripts/plot_one.sh "$@"
fi
results=${1:-results}
[[ -d $results ]] || {
    echo "plot.sh: $results: no such directory; it should hold CSV files" >&2
    exit 1
}

tables=$(mktemp -d)
trap 'rm -rf "$tables"' EXIT

drawn=0
[[ ! -e $results/traces.csv ]] || for kind in svg png; do
    scripts/plot_one.sh "$results/traces.csv" "$results/lab.$kind" lockfree
    drawn=1
done
names=$(scripts/plot_data.py "$results" "$tables")
for name in $names; do
    for kind in svg png; do
        term=$kind
        [[ $kind == svg ]] || term=pngcairo
        gnuplot -e "term='$term'; out='$results/$name.$kind'; \
            dir='$tables'; name='$name'" "scripts/charts/$name.gp"
        echo "plot.sh: $results/$name.$kind"
    done
    drawn=1
done
((drawn)) || {
    echo "plot.sh: $results: found no results in it, expected CSV files of" \
         "scripts/bench.sh, mdriver --csv or --heapmap" >&2
    exit 1
}
