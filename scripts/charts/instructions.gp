# instructions.gp - instructions of an operation, each trace.
TITLE = '{/:Bold Instructions} of an operation, one thread: ' \
    . 'blue are few, orange many'
load 'scripts/charts/heat.gpi'
