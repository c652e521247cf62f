#!/bin/bash
# e2e_plot.sh - scripts/plot.sh: from mdriver's CSV to a chart.
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

try scripts/plot.sh results/traces.csv "$SCRATCH/lab.svg" arena
expect_output "plot.sh draws the committed results" 0 'plot.sh: .*lab\.svg$'
expect "of the allocator that is asked for" grep -q '>arena<' "$SCRATCH/lab.svg"

{
    echo '# command: none; date: today'
    echo 'threads,allocator,trace,status,utilization,vs_libc'
    echo '1,mine,"one",valid,0.5,2'
    echo '1,libc,"one",valid,0.25,1'
    echo '1,mine,"two",valid,0.5,8'
    echo '1,libc,"two",valid,0.25,1'
    echo '1,mine,"broken",overlap,,'
    echo '4,mine,"threads",valid,0.5,99'
} >"$SCRATCH/mine.csv"
try scripts/plot.sh "$SCRATCH/mine.csv" "$SCRATCH/mine.svg"
expect_output "plot.sh draws any CSV of mdriver" 0 'mine\.svg$'
expect "the chart names the allocator" grep -q '>mine<' "$SCRATCH/mine.svg"
expect "the chart has each trace" grep -q '>two<' "$SCRATCH/mine.svg"
expect "the mean is geometric" grep -q 'mean 4\.00x' "$SCRATCH/mine.svg"
expect "the chart says where its figures are from" \
    grep -q 'command: none; date: today' "$SCRATCH/mine.svg"
sed 's/^1,libc/1,other,"one",valid,0.5,1\n&/' "$SCRATCH/mine.csv" \
    >"$SCRATCH/two.csv"
try scripts/plot.sh "$SCRATCH/two.csv" "$SCRATCH/two.svg"
expect "of several allocators the first" grep -q '>mine<' "$SCRATCH/two.svg"
for word in broken threads; do
    expect "the chart leaves out: $word" \
        test -z "$(grep ">$word<" "$SCRATCH/mine.svg")"
done

sed -i '/,valid,/d' "$SCRATCH/mine.csv"
try scripts/plot.sh "$SCRATCH/mine.csv" "$SCRATCH/none.svg"
expect_output "a CSV without a valid result is refused" 1 'no valid single-thr'
try scripts/plot.sh "$SCRATCH/missing.csv" "$SCRATCH/none.svg"
expect_output "a missing CSV is named" 1 'missing\.csv: cannot read it'

# ---- all charts ----------------------------------------------------------

made=$SCRATCH/results
tests/made_results.py "$made"
try env LC_ALL=C scripts/plot.sh "$made"
expect_output "plot.sh draws all that a directory has figures for" 0 \
    'crossing\.png$'
expect "gnuplot has nothing to say about it" \
    test -z "$(grep -v '^plot.sh: .*/[a-z]*\.\(svg\|png\)$' <<<"$out")"
charts="speedup throughput memory scatter latency heapmap fragmentation"
charts+=" sizes crossing own stress programs instructions"
for chart in $charts; do
    expect "$chart.svg says where its figures are from" \
        grep -q 'command: ./mdriver made up' "$made/$chart.svg"
    expect "$chart.svg has no file beside it" \
        test "$(grep -c 'xlink:href="[^#d]' "$made/$chart.svg")" = 0
    expect "$chart.png is a picture" \
        test "$(head -c 4 "$made/$chart.png" | tail -c 3)" = PNG
done
for chart in speedup throughput memory scatter latency; do
    for name in fast slow jemalloc another-with-a-long-name; do
        expect "$chart.svg names $name" \
            grep -q ">$name\( \|<\)" "$made/$chart.svg"
    done
done
expect "the ideal line knows the processors" \
    grep -q 'ideal, 2 processors' "$made/speedup.svg"
expect "the means are geometric" grep -q '>4.00<' "$made/throughput.svg"
expect "what was not valid is left out" \
    test -z "$(grep '>broken<' "$made/throughput.svg")"
expect "all frees of one that others made" \
    grep -q '>40.0<' "$made/crossing.svg"
expect "a trace without cross-thread frees is left out" \
    test -z "$(grep '>two<' "$made/crossing.svg")"
expect "the heap map is a picture in the SVG" \
    grep -q 'data:image/png;base64\|<use\|<rect' "$made/heapmap.svg"

# The tables that the charts are made of.
scripts/plot_data.py "$made" "$SCRATCH" >/dev/null
expect "speedup: 2 threads are 1.8 times as fast, against libc 4" \
    grep -qx '2 1.8 4' "$SCRATCH/speedup.dat"
expect "scatter: memory and speed, and where the name is" \
    grep -Eqx '1\.25 4 [0-9.]+ [0-9.]+ "fast"' "$SCRATCH/scatter.dat"
expect "no name is drawn over another" python3 -c '
import sys
sys.path.insert(0, "scripts")
from chart_labels import HIGH, WIDE, overlap, places
points = [(40, 300, "arena"), (48, 305, "lockfree"), (44, 290, "global"),
          (395, 300, "an-allocator"), (390, 358, "another"), (70, 290, "libc")]
boxes = [(x, y - HIGH / 2, x + WIDE * len(p[2]), y + HIGH / 2)
         for p, (x, y) in zip(points, places(points, 400, 360))]
assert all(overlap(a, b) == 0 for a in boxes for b in boxes if a is not b)
assert all(0 <= a[0] and a[2] <= 400 for a in boxes), boxes'
expect "own: one thread is that of all traces, four a round" test "$(
    tr '\n' ' ' <"$SCRATCH/own.dat")" = "1 0.9 4 4 1.5 8   1 0.9 1 4 1.5 1   $(
    :)1 0.9 0.5 4 1.5 1 "
expect "stress: speed with one and with four threads, and megabytes" \
    test "$(grep -c . "$SCRATCH/stress.dat") $(grep -cx '"first" 32' \
        "$SCRATCH/stress.dat") $(grep -cx '"second" NaN' \
        "$SCRATCH/stress.dat")" = "18 1 3"
expect "instructions: of each trace, none where it did not end" \
    test "$(cut -d' ' -f1,2,4 "$SCRATCH/instructions.dat" | tr '\n' ' ')" = "$(
        :)1 0.5 \"26\" 1 2 \"90\" 1 3 \"20\" 1 4 \"10\"   $(
        :)1 0.5 \"24\" 1 3 \"48\" 1 4 \"12\"   $(
        :)1 0.5 \"30\" 1 3 \"60\" 1 4 \"15\" "
expect "instructions: a panel for each machine, with its name" test "$(
    sed -n 's/^array TITLES = //p' "$SCRATCH/instructions.gp")" = \
    '["Nothing","aarch64","riscv64"]'
for machine in Nothing aarch64 riscv64; do
    expect "instructions: the file of $machine is named below" \
        grep -q "machine: $machine" "$made/instructions.svg"
done
expect "memory: a panel of heaps, one of resident bytes" \
    grep -qx 'PANELS = 2' "$SCRATCH/memory.gp"
expect "memory: a library that counts no heap is in the second only" \
    test "$(sed -n 's/^array COLUMNS = //p' "$SCRATCH/memory.gp" | tr , '\n' |
        grep -c jemalloc)" = 1
expect "good cells are blue, bad ones orange, those between pale" python3 -c '
import sys
sys.path.insert(0, "scripts")
from chart_heat import colour, cost_score, ratio_score
def red_and_blue(score):
    return int(colour(score)) >> 16, int(colour(score)) & 255
for score in (ratio_score(2)(4), cost_score(1, 100)(10)):
    red, blue = red_and_blue(score)
    assert red < blue, (score, red, blue)
for score in (ratio_score(2)(0.2), cost_score(1, 100)(1000)):
    red, blue = red_and_blue(score)
    assert red > blue, (score, red, blue)
assert red_and_blue(ratio_score(2)(1)) == (247, 247)'
expect "programs: an axis of little range has marks enough" \
    test "$(grep -oE '>(1|0\.[6-9]|1\.[0-9])x<' results/programs.svg |
        wc -l)" -ge 4
expect "latency: its axis has the percentiles by name" test "$(
    grep -o '>p[0-9.]*<' results/latency.svg | sort -u | tr -d '\n')" = "$(
    :)>p50<>p99.99<>p99.9<>p99<"
expect "programs: two panels" grep -qx 'PANELS = 2' "$SCRATCH/programs.gp"
expect "latency: half of the mallocs" grep -qx '2 2.5' "$SCRATCH/latency.dat"
expect "fragmentation: payload, heap, and their ratio" \
    grep -qx '50 0.005 0.006 83.3333' "$SCRATCH/fragmentation.dat"
expect "heapmap: half live, a tenth headers, the rest free" \
    grep -qx '50 0.002048 111.8 161.7 177.8' "$SCRATCH/heapmap.dat"
expect "sizes: nine tenths from 64 to 127" \
    grep -qx '7 1 90' "$SCRATCH/sizes.dat"

expect "scatter: what bench.sh measured" \
    grep -q '^3 2 .* "jemalloc"' "$SCRATCH/scatter.dat"
expect "speedup: of lines that are rounds" \
    grep -qx '4 4 2' "$SCRATCH/speedup.dat"
expect "a long legend goes on in the next line" \
    grep -qx 'LEGEND_ROWS = 2' "$SCRATCH/speedup.gp"

# A newer run corrects an older one.
sed '1s/2026-01-02/2026-02-02/; s/,5,4,/,5,7,/' "$made/matrix.csv" \
    >"$made/a_newer.csv"
scripts/plot_data.py "$made" "$SCRATCH" >/dev/null
expect "the newer of two runs counts" \
    grep -q ' "7\.00"$' "$SCRATCH/throughput.dat"

mkdir "$SCRATCH/empty"
try scripts/plot.sh "$SCRATCH/empty"
expect_output "a directory without results is refused" 1 'found no results'
try scripts/plot.sh "$SCRATCH/nowhere"
expect_output "a directory that is not there is named" 1 \
    'nowhere: no such directory'

# What is committed is what the committed CSV files give.
for chart in $charts lab; do
    expect "results/$chart is committed, as SVG and PNG" \
        test -s "results/$chart.svg" -a -s "results/$chart.png"
done
try scripts/plot_data.py results "$SCRATCH"
expect "there are figures for all charts" \
    test "$(tr '\n' ' ' <<<"$out" | wc -w)" = "$(wc -w <<<"$charts")"
for csv in results/*.csv; do
    # tables
    [[ $csv == */bytes.csv || $csv == */huge.csv ]] && continue
    of=$(sed -n '1s/.*date: \([^;]*\).*/\1/p' "$csv")
    expect "the charts of $csv are drawn from it" \
        grep -lqF "${of:-scripts/trace_stats.py}" results/*.svg
done

# A program of tests/ under libraries: scripts/library_runs.py.
for name in scale burst; do
    try scripts/$name.py --chart "$SCRATCH/$name.svg"
    for library in glibc libmm; do
        expect "$name.py draws the committed figures of $library" \
            grep -q ">$library<" "$SCRATCH/$name.svg"
    done
    try scripts/$name.py --nope
    expect_output "$name.py --nope is answered by what can be asked" 1 \
        "scripts/$name\.py --chart FILE\.svg"
done
mkdir -p "$SCRATCH/tree/docs"
cp -r scripts tests "$SCRATCH/tree"
printf '%s\n' '<!-- scale -->' old '<!-- end of scale -->' \
    >"$SCRATCH/tree/docs/scale.md"
try "$SCRATCH/tree/scripts/scale.py" --most 1 a=
expect_output "scale.py measures a library that is named" 0 '2 MiB left out'
expect "and writes its figures" grep -q '^a,1,[0-9.]*,[0-9.]*$' \
    "$SCRATCH/tree/docs/scale.csv"
expect "the table of them" grep -q '^| 1 | [0-9]' "$SCRATCH/tree/docs/scale.md"
expect "and the chart" grep -q '>a<' "$SCRATCH/tree/docs/scale.svg"
finish
