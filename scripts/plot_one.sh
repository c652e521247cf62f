#!/bin/bash
# plot_one.sh - draws one chart of one run of bench.sh or `mdriver --csv`.
#
#   scripts/plot_one.sh FILE.csv OUT.svg|OUT.png [ALLOCATOR]    for plot.sh
#
# Memory and speed of ALLOCATOR, or else of the first that FILE has, with one
# thread, beside libc's. The CSV's first line, which says where its figures are
# from, becomes the chart's last line. Colours are from Okabe and Ito's palette,
# which readers with any colour vision can tell apart.
set -euo pipefail
cd "$(dirname "$0")/.."

csv=$1
chart=$2
lab_colour='#0072B2' libc_colour='#E69F00'

[[ -r $csv ]] || {
    echo "plot.sh: $csv: cannot read it; ./mdriver --csv $csv makes one" >&2
    exit 1
}

table=$(mktemp)
trap 'rm -f "$table"' EXIT

# One line for each trace: name, utilization of the allocator and of libc in
# percent, throughput over libc's. Only rounds of one trace have a utilization
# of that trace.
awk -F, -v wanted="${3:-}" '
/^#/ { next }
!header { for (i = 1; i <= NF; i++) column[$i] = i; header = 1; next }
$column["threads"] != 1 || $column["status"] != "valid" { next }
{
    gsub(/"/, "")
    trace = $column["trace"]
    util = $column["utilization"] * 100
    if ($column["allocator"] == "libc") { libc[trace] = util; next }
    who = $column["allocator"]
    if (!first || who == wanted) first = who
    order[who, ++count[who]] = trace
    lab[who, trace] = util
    ratio[who, trace] = $column["vs_libc"]
    logs[who] += log($column["vs_libc"])
}
END {
    name = first
    n = count[name]
    if (!n) { print "plot.sh: no valid single-threaded result" >"/dev/stderr"
              exit 1 }
    printf "# %s %.2f\n", name, exp(logs[name] / n)
    for (i = 1; i <= n; i++) {
        trace = order[name, i]
        print trace, lab[name, trace], libc[trace], ratio[name, trace]
    }
}' "$csv" >"$table"

read -r _ name mean <"$table"
source=$(sed -n '1s/^# *//p' "$csv" | fold -s -w 150 | sed 's/["\\]//g' |
    sed ':a;N;$!ba;s/\n/\\n/g')

case $chart in
*.png) terminal='pngcairo' ;;
*) terminal='svg' ;;
esac

gnuplot <<END
set terminal $terminal size 1000,680 background '#ffffff' font 'Helvetica,13'
set output '$chart'
set multiplot
set lmargin at screen 0.085
set rmargin at screen 0.985
set border 3
set tics nomirror
set grid ytics linetype 1 linecolor '#dddddd'
set style fill solid noborder
set key at graph 1, graph 1.16 right top horizontal font ',12'
set xtics scale 0
stats '$table' using 2 nooutput
set xrange [0.4:STATS_records + 0.6]

set tmargin at screen 0.93
set bmargin at screen 0.625
set label 1 '{/:Bold Memory} used well: ' . \
    'peak of live bytes / of heap, one thread' at graph 0, graph 1.11
set ylabel 'utilization (%)' offset 1
set yrange [0:100]
set format x ''
plot '$table' using (\$0 + 0.8):2:(0.38) with boxes \
         linecolor '$lab_colour' title '$name', \
     '' using (\$0 + 1.2):3:(0.38) with boxes \
         linecolor '$libc_colour' title 'libc'

set tmargin at screen 0.53
set bmargin at screen 0.28
set label 1 '{/:Bold Speed} of $name: ' . \
    'operations per second / those of libc, one thread'
set label 2 "$source" at screen 0.01, screen 0.055 font ',9' \
    textcolor '#666666' noenhanced
set ylabel 'times libc (log scale)' offset 1
set logscale y 2
set yrange [*:*]
set format y '%gx'
set xtics rotate by 40 right font ',11' noenhanced
plot '$table' using (\$0 + 1):4:(\$0 + 0.65):(\$0 + 1.35):(1):4 \
         with boxxyerror linecolor '$lab_colour' notitle, \
     1 linecolor '#000000' notitle, \
     $mean linecolor '$lab_colour' dashtype 2 \
         title 'geometric mean ${mean}x', \
     '$table' using (\$0 + 1):(1):xtic(1) with points pointsize 0 notitle
END
echo "plot.sh: $chart"
