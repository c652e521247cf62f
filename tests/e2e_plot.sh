#!/bin/bash
# e2e_plot.sh - scripts/plot.sh: from mdriver's CSV to a chart.
cd "$(dirname "$0")/.." || exit 2
. tests/lib.sh

try scripts/plot.sh results/lab.csv "$SCRATCH/lab.svg"
expect_output "plot.sh draws the committed results" 0 'plot.sh: .*lab\.svg$'
expect "the committed chart is of the committed results" \
    grep -qF "$(sed -n '1s/.*commit: //p' results/lab.csv)" results/lab.svg

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
for word in broken threads; do
    expect "the chart leaves out: $word" \
        test -z "$(grep ">$word<" "$SCRATCH/mine.svg")"
done

sed -i '/,valid,/d' "$SCRATCH/mine.csv"
try scripts/plot.sh "$SCRATCH/mine.csv" "$SCRATCH/none.svg"
expect_output "a CSV without a valid result is refused" 1 'no valid single-thr'
try scripts/plot.sh "$SCRATCH/missing.csv" "$SCRATCH/none.svg"
expect_output "a missing CSV is named" 1 'missing\.csv: cannot read it'
finish
