# scatter.gp - speed against memory: one point for each allocator, its name
# above it, or below if there is another (columns 3 and 4).
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 460 + FOOT
@BEGIN
set multiplot
set bmargin at screen (FOOT + 55.0) / HEIGHT
set tmargin at screen Y(76)
set grid xtics ytics linetype 1 linecolor rgb '#dddddd'
set label 1 '{/:Bold Speed against memory}: up and to the left is better' \
    at screen 0.02, screen Y(20)
set xlabel 'resident / written bytes, geometric mean'
set format y '%gx'
set format x '%gx'
set offsets graph 0.16, graph 0.24, graph 0.12, graph 0.12
set ylabel 'times as fast as libc, geometric mean' offset 0.5
do for [panel = 0:(MANY > FEW ? 1 : 0)] {
    threads = panel ? MANY : FEW
    stats DATA index (panel * N):(panel * N + N - 1) using 1 nooutput
    set xtics STATS_max - STATS_min > 0.6 ? 0.2 : 0.1
    set lmargin at screen 0.085 + 0.5 * panel
    set rmargin at screen 0.485 + 0.5 * panel
    set label 2 sprintf('{/:Bold %d thread%s}', \
        threads, threads > 1 ? 's' : '') \
        at screen 0.085 + 0.5 * panel, screen Y(56)
    plot for [i = 1:N] DATA index panel * N + i - 1 using 1:2 with points \
             linecolor rgb COLOURS[i] pointtype MARKS[i] pointsize 1.8, \
         for [i = 1:N] DATA index panel * N + i - 1 \
             using 1:2:3 with labels \
             left offset 1.1, 0.5 font ',12' noenhanced, \
         for [i = 1:N] DATA index panel * N + i - 1 \
             using 1:2:4 with labels \
             left offset 1.1, -0.7 font ',12' noenhanced
    unset label 100; unset label 1; unset ylabel
}
unset multiplot
