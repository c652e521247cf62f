# instructions.gp - instructions of an operation, each trace.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 528 + HEAD + FOOT
@BEGIN
@LEGEND
load 'scripts/charts/traces.gpi'
set tmargin at screen Y(HEAD + 8)
set bmargin at screen (FOOT + 165.0) / HEIGHT
set label 1 '{/:Bold Instructions} of an operation, one thread (lower is ' \
    . 'better); below: geometric means' at screen 0.02, screen Y(20)
set ylabel 'instructions an operation (log scale)' offset 0.5
set logscale y 2
set offsets 0, 0, graph 0.05, 0
set ytics ('4' 4)
do for [k = 3:14] { set ytics add (sprintf('%d', 2 ** k) 2 ** k) }
set xtics rotate by 45 right font ',11' noenhanced
plot for [i = 1:N] DATA index i - 1 using ($0 + 1 + SHIFT(i)):2 \
         with points linecolor rgb COLOURS[i] pointtype MARKS[i], \
     DATA index 0 using ($0 + 1):(64):xtic(1) with points pointsize 0
