# crossing.gp - how many frees are by another thread than the block's.
load 'scripts/charts/common.gpi'
WIDTH = 1000
HEIGHT = 130 + 26 * TRACES + FOOT
@BEGIN
set lmargin at screen 0.26
set rmargin at screen 0.96
set tmargin at screen 1 - 42.0 / HEIGHT
set bmargin at screen (FOOT + 55.0) / HEIGHT
unset key
set grid xtics linetype 1 linecolor rgb '#dddddd'
unset grid
set grid xtics linetype 1 linecolor rgb '#dddddd'
set label 1 '{/:Bold Cross-thread frees}: by another thread than the one that' \
    . ' made or last resized the block' at screen 0.02, screen 1 - 22.0 / HEIGHT
set xrange [0:108]
set yrange [-0.6:TRACES - 0.4]
set ytics scale 0 noenhanced
set xlabel '% of all frees (traces without any are left out)'
plot DATA using ($2 / 2):0:($2 / 2):(0.36):yticlabels(1) \
         with boxxyerror linecolor rgb '#0072B2', \
     DATA using 2:0:(sprintf('%.1f', $2)) with labels left offset 0.6, 0 \
         font ',11'
