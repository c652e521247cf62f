# scatter.gp - speed against memory: one point for each allocator, and its name
# (columns 3 and 4 say where).
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = HIGH + 131 + FOOT
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
set ylabel 'times as fast as libc, geometric mean' offset 0.5
do for [panel = 0:(MANY > FEW ? 1 : 0)] {
    threads = panel ? MANY : FEW
    set xrange [X_LOW[panel + 1]:X_HIGH[panel + 1]]
    set yrange [Y_LOW[panel + 1]:Y_HIGH[panel + 1]]
    set xtics X_STEP[panel + 1]
    set ytics Y_STEP[panel + 1]
    set lmargin at screen 0.085 + 0.5 * panel
    set rmargin at screen 0.085 + 0.5 * panel + WIDE / 1000.
    set label 2 sprintf('{/:Bold %d thread%s}', \
        threads, threads > 1 ? 's' : '') \
        at screen 0.085 + 0.5 * panel, screen Y(56)
    plot for [i = 1:N] DATA index panel * N + i - 1 using 1:2 with points \
             linecolor rgb COLOURS[i] pointtype MARKS[i] pointsize 1.8, \
         for [i = 1:N] DATA index panel * N + i - 1 \
             using 3:4:5 with labels left font ',12' noenhanced \
             textcolor rgb COLOURS[i]
    unset label 100; unset label 1; unset ylabel
}
unset multiplot
