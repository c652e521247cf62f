# sizes.gp - which sizes and lifetimes the blocks of each trace have.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 790 + FOOT
@BEGIN
set multiplot
set palette defined (0 '#ffffff', 0.15 '#c6dbef', 0.4 '#6baed6', \
                     0.7 '#0072B2', 1 '#08264a')
set cbrange [0:60]
set bmargin at screen (FOOT + 60.0) / HEIGHT
set tmargin at screen 1 - 62.0 / HEIGHT
unset grid
unset key
set yrange [TRACES - 0.5:-0.5]
set ytics scale 0 font ',11'
set ytics ('' 0)
do for [i = 1:TRACES] { set ytics add (TRACE_NAMES[i] i - 1) noenhanced }
set lmargin at screen 0.215
set rmargin at screen 0.54
set label 1 '{/:Bold Sizes}: share of requests' at screen 0.215, \
    screen 1 - 40.0 / HEIGHT
set xrange [-0.5:SIZE_TOP + 0.5]
set xtics ('0' 0, '1' 1, '16' 5, '256' 9, '4 Ki' 13, '64 Ki' 17, '1 Mi' 21, \
           '16 Mi' 25) out font ',11'
set xlabel 'bytes, up to twice as many'
unset colorbox
plot DATA index 0 using 1:2:3 with image
unset label 100
set lmargin at screen 0.56
set rmargin at screen 0.90
set label 1 '{/:Bold Lifetimes}: share of blocks that are freed' \
    at screen 0.56, screen 1 - 40.0 / HEIGHT
set xrange [-0.5:LIFETIME_TOP + 0.5]
set xtics ('1' 1, '16' 5, '256' 9, '4096' 13, '65 536' 17) out font ',11'
set xlabel 'operations, up to twice as many'
do for [i = 1:TRACES] { set ytics add ('' i - 1) }
set colorbox user origin screen 0.915, screen (FOOT + 60.0) / HEIGHT \
    size screen 0.015, screen 0.3
set cblabel '% of the trace'
plot DATA index 1 using 1:2:3 with image
unset multiplot
