# own.gp - as speedup.gp, of threads that have each a trace of their own.
load 'scripts/charts/speedup.gp'
