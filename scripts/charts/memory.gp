# memory.gp - utilization and resident memory, each trace.
TITLE = '{/:Bold Memory} with one thread: blue wastes little, orange much'
load 'scripts/charts/heat.gpi'
