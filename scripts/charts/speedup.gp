# speedup.gp - against one thread, and against libc, over threads.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 398 + HEAD + FOOT
@BEGIN
@LEGEND
set multiplot
set bmargin at screen (FOOT + 55.0) / HEIGHT
set tmargin at screen Y(HEAD + 34)
set logscale x 2
set xrange [0.9:THREADS * 1.1]
set xlabel 'threads'
set yrange [0:*]
set offsets 0, 0, graph 0.08, 0

set label 1 '{/:Bold Speedup over threads}, ' . HOW at screen 0.02, screen Y(20)
set lmargin at screen 0.075
set rmargin at screen 0.48
set label 2 '{/:Bold against itself} with one thread' \
    at screen 0.075, screen Y(HEAD + 18)
set ylabel 'times as fast as one thread' offset 1.2
ideal(x) = x < PROCESSORS ? x : PROCESSORS
set label 3 sprintf('ideal, %d processors', PROCESSORS) at THREADS, PROCESSORS \
    right offset 0, -0.7 font ',12'
plot ideal(x) with lines linecolor rgb 'black' dashtype 2 linewidth 1.5, \
     for [i = 1:N] DATA index i - 1 using 1:2 with linespoints \
         linecolor rgb COLOURS[i] linewidth 2 pointtype MARKS[i]

unset label 1; unset label 3; unset label 100
@LEGEND_OFF
set lmargin at screen 0.575
set rmargin at screen 0.98
set label 2 '{/:Bold against libc} with as many threads' \
    at screen 0.575, screen Y(HEAD + 18)
set ylabel "libc's time / its own, geometric mean"
plot for [i = 1:N] DATA index i - 1 using 1:3 with linespoints \
         linecolor rgb COLOURS[i] linewidth 2 pointtype MARKS[i]
unset multiplot
