# fragmentation.gp - how much of the heap is used, over the time of a replay.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 378 + HEAD + FOOT
@BEGIN
@LEGEND
set multiplot
set bmargin at screen (FOOT + 50.0) / HEIGHT
set tmargin at screen Y(HEAD + 34)
set xlabel 'operations (thousands)'
set xrange [0:OPS / 1000.]
set label 1 '{/:Bold Fragmentation over time}: ' . TRACE \
    at screen 0.02, screen Y(20)
set yrange [0:*]
set lmargin at screen 0.075
set rmargin at screen 0.485
set label 2 'the heap; {/:Bold grey:} live bytes' \
    at screen 0.075, screen Y(HEAD + 18)
set ylabel 'MB' offset 1.5
plot DATA index 0 using ($1 / 1000.):2 with filledcurves y1=0 \
         linecolor rgb '#d0d0d0', \
     for [i = 1:N] DATA index i - 1 using ($1 / 1000.):3 with linespoints \
         linecolor rgb COLOURS[i] linewidth 2 pointtype MARKS[i] \
         pointinterval 20
unset label 100; unset label 1
@LEGEND_OFF
set lmargin at screen 0.575
set rmargin at screen 0.985
set label 2 'live bytes / heap at that time' \
    at screen 0.575, screen Y(HEAD + 18)
set ylabel 'utilization (%)'
set yrange [0:102]
plot for [i = 1:N] DATA index i - 1 using ($1 / 1000.):4 with linespoints \
         linecolor rgb COLOURS[i] linewidth 2 pointtype MARKS[i] \
         pointinterval 20
unset multiplot
