# latency.gp - percentiles of single calls: malloc and free, few and many
# threads. Along the axis a call in 2, 100, 1000, 10000, on a log scale.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 668 + HEAD + FOOT
@BEGIN
@LEGEND
set multiplot
set label 1 '{/:Bold Latency} of single calls; geometric means over the traces' \
    at screen 0.02, screen Y(20)
set logscale xy
set xrange [1.6:13000]
set xtics ('p50' 2, 'p99' 100, 'p99.9' 1000, 'p99.99' 10000)
set grid xtics ytics linetype 1 linecolor rgb '#dddddd'
stats DATA using 2 nooutput
set yrange [STATS_min * 0.7:STATS_max * 1.4]
set ytics ('1 ns' 1, '10 ns' 10, '100 ns' 100, '1 µs' 1e3, '10 µs' 1e4, \
           '100 µs' 1e5, '1 ms' 1e6, '10 ms' 1e7)
do for [many = 0:(MANY > FEW ? 1 : 0)] {
    do for [call = 0:1] {
        threads = many ? MANY : FEW
        left = 0.095 + 0.5 * many
        from_top = HEAD + 30 + 318 * call
        set lmargin at screen left
        set rmargin at screen left + 0.38
        set tmargin at screen Y(from_top)
        set bmargin at screen Y(from_top + 255)
        set label 2 sprintf('{/:Bold %s}, %d thread%s', \
            call ? 'free' : 'malloc', threads, threads > 1 ? 's' : '') \
            at screen left, screen Y(from_top - 14)
        set ylabel many ? '' : 'takes at most' offset 1.5
        set xlabel call ? 'percentile of the calls' : ''
        plot for [i = 1:N] DATA index (many * 2 + call) * N + i - 1 \
            using 1:2 with linespoints linecolor rgb COLOURS[i] linewidth 2 \
            pointtype MARKS[i]
        unset label 1; unset label 100
        @LEGEND_OFF
    }
}
unset multiplot
