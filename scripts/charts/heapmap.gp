# heapmap.gp - what lay where in the heap, over the time of a replay.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 440 + FOOT
@BEGIN
set multiplot
set bmargin at screen (FOOT + 50.0) / HEIGHT
set tmargin at screen Y(84)
unset grid
set xrange [0:OPS / 1000.]
set yrange [0:TOP]
set xlabel 'operations (thousands)'
set label 1 '{/:Bold Heap map}: ' . TRACE at screen 0.02, screen Y(20)
array KINDS = ['live', 'headers, rounding', 'free', 'no block there yet']
array FILLS = ['#0072B2', '#E69F00', '#DEDEDE', '#FFFFFF']
array LEFTS = [0.36, 0.44, 0.63, 0.71]
do for [k = 1:4] {
    set object k rectangle from screen LEFTS[k], screen Y(27) \
        to screen LEFTS[k] + 0.014, screen Y(13) fillcolor rgb FILLS[k] \
        fillstyle solid border linecolor rgb '#444444'
    set label 10 + k KINDS[k] at screen LEFTS[k] + 0.021, screen Y(20) \
        font ',12'
}
gap = 0.07
wide = (0.985 - gap * N) / N
do for [i = 1:N] {
    left = gap + (i - 1) * (wide + gap)
    set lmargin at screen left
    set rmargin at screen left + wide
    set label 2 '{/:Bold ' . NAMES[i] . '}' at screen left, screen Y(64)
    set ylabel i == 1 ? 'addresses with blocks (MB)' : '' offset 1.5
    plot DATA index i - 1 using ($1 / 1000.):2:3:4:5 with rgbimage
    unset label 100; unset label 1
    do for [k = 1:4] { unset object k; unset label 10 + k }
}
unset multiplot
