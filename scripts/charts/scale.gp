# scale.gp - what an operation costs beside so much live memory, over what the
# program's own touch of two blocks costs there. scripts/scale.py sets: out, data
# (number of the library, MiB, ns of an operation, ns of a touch; tabs between),
# and the words LIBRARIES, within quotes.
COLOURS = "#4477aa #ee6677 #228833 #ccbb44 #66ccee #aa3377"
set terminal svg size 700,320 background '#ffffff' font 'Helvetica,12'
set output out
set encoding utf8
set datafile separator '\t'
set border 3 linecolor rgb '#888888'
set tics nomirror
set grid ytics linetype 1 linecolor rgb '#dddddd'
set logscale x 2
set xrange [1:8192]
set xlabel 'live memory, MiB'
unset key
do for [l = 1:words(LIBRARIES)] {
    set label l word(LIBRARIES, l) at screen 0.04 + 0.2 * (l - 1), 0.96 \
        textcolor rgb word(COLOURS, l) noenhanced
}
set label 100 'free + malloc, over a touch of two blocks' at screen 0.98, 0.96 right
set yrange [0:*]
set tmargin 3
plot for [l = 1:words(LIBRARIES)] data using \
    ($1 == l ? $2 : 1 / 0):($3 / $4) with linespoints pointtype 7 pointsize 0.5 \
    linewidth 2 linecolor rgb word(COLOURS, l)
