# stress.gp - time and memory of the stress programs under each allocator.
TITLE = 'Stress programs'
load 'scripts/charts/runs.gpi'
