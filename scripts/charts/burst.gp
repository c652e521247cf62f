# burst.gp - resident memory over time after a burst, a panel for each job.
# scripts/burst.py sets: out, data (numbers of job and library, ms, MiB; tabs between), and
# the words JOBS and LIBRARIES, each within quotes.
COLOURS = "#4477aa #ee6677 #228833 #ccbb44 #66ccee #aa3377"
ROWS = (words(JOBS) + 1) / 2
set terminal svg size 700,(60 + 200 * ROWS) background '#ffffff' font 'Helvetica,12'
set output out
set encoding utf8
set datafile separator '\t'
set border 3 linecolor rgb '#888888'
set tics nomirror
set grid ytics linetype 1 linecolor rgb '#dddddd'
set xrange [0:4]
set yrange [0:*]
set multiplot layout ROWS,2 margins 0.07,0.98,0.06,0.9 spacing 0.08,0.09
at = 0.04
do for [l = 1:words(LIBRARIES)] {
    set label l word(LIBRARIES, l) at screen at, 0.975 \
        textcolor rgb word(COLOURS, l) noenhanced
    at = at + 0.05 + 0.011 * strlen(word(LIBRARIES, l))
}
set label 100 'MiB; seconds after the burst' at screen 0.98, 0.015 right
unset key
do for [j = 1:words(JOBS)] {
    set title word(JOBS, j) noenhanced
    plot for [l = 1:words(LIBRARIES)] data using \
        ($1 == j && $2 == l ? $3 / 1000. : 1 / 0):4 with lines \
        linewidth 2 linecolor rgb word(COLOURS, l)
    do for [l = 1:words(LIBRARIES)] { unset label l }
    unset label 100
}
unset multiplot
