# mdriver_results.sh - for end-to-end tests that read what mdriver wrote to
# $SCRATCH/o.csv and $SCRATCH/o.json.
#
# shellcheck shell=bash
# cell COLUMN TRACE ALLOCATOR: that column of all its rows in o.csv.
cell() {
    python3 - "$SCRATCH/o.csv" "$@" <<'END'
import csv, sys
path, column, trace, allocator = sys.argv[1:5]
rows = csv.DictReader(l for l in open(path) if not l.startswith("#"))
print(*[r[column] for r in rows
        if r["trace"] == trace and r["allocator"] == allocator])
END
}

# json EXPRESSION: is it true of j, the object in o.json?
json() {
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1]))
sys.exit(not eval("(" + sys.argv[2] + ")"))' "$SCRATCH/o.json" "$1"
}
