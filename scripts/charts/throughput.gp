# throughput.gp - operations per second against libc, each trace.
TITLE = '{/:Bold Throughput} of one thread, times libc''s: ' \
    . 'blue is faster than libc, orange slower'
load 'scripts/charts/heat.gpi'
