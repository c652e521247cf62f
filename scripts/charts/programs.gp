# programs.gp - time and memory of the real programs under each allocator.
TITLE = 'Real programs'
load 'scripts/charts/runs.gpi'
