# memory.gp - utilization and resident memory, each trace.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 738 + HEAD + FOOT
@BEGIN
@LEGEND
set multiplot
load 'scripts/charts/traces.gpi'
set ytics autofreq
set tmargin at screen Y(HEAD + 8)
set bmargin at screen (FOOT + 475.0) / HEIGHT
set label 1 '{/:Bold Memory used well}: peak of live bytes / peak of heap,' \
    . ' one thread (higher is better)' at screen 0.02, screen Y(20)
set ylabel 'utilization (%)' offset 0.5
set yrange [0:102]
set format x ''
plot for [i = 1:N] DATA index i - 1 using ($0 + 1 + SHIFT(i)):(100 * $2) \
         with points linecolor rgb COLOURS[i] pointtype MARKS[i], \
     DATA index 0 using ($0 + 1):(-10):xtic('') with points pointsize 0

unset label 100
@LEGEND_OFF
set tmargin at screen (FOOT + 430.0) / HEIGHT
set bmargin at screen (FOOT + 165.0) / HEIGHT
set label 1 '{/:Bold Resident memory}: peak of resident bytes / peak of ' \
    . 'written bytes (lower is better)' \
    at screen 0.02, screen (FOOT + 450.0) / HEIGHT
set ylabel 'resident / written (log scale)' offset 0.5
set logscale y 2
set offsets 0, 0, graph 0.05, 0
set yrange [0.9:*]
load 'scripts/charts/traces.gpi'
set xtics rotate by 45 right font ',11' noenhanced
plot for [i = 1:N] DATA index i - 1 using ($0 + 1 + SHIFT(i)):3 \
         with points linecolor rgb COLOURS[i] pointtype MARKS[i], \
     DATA index 0 using ($0 + 1):(0.1):xtic(1) with points pointsize 0
unset multiplot
