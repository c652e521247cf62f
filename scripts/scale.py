#!/usr/bin/env python3
"""scale.py - what an operation costs beside 1 MiB to 8 GiB of live memory.

    scripts/scale.py [--most MIB] [NAME=LIBRARY ...]
                              measures, writes docs/scale.csv, the table in
                              docs/scale.md, and the chart docs/scale.svg
    scripts/scale.py --chart FILE.svg   a chart of docs/scale.csv

A library is put under tests/scale/live.c by LD_PRELOAD; an empty one is the C
library. Without names: glibc, libmm.so, and libmm.so without huge pages. Sizes
for which the machine has no memory are left out.
"""
import sys

from library_runs import OURS, Runs, built, distinct, output

SIZES = [1 << i for i in range(14)]
OPERATIONS = 2000000
ROUNDS = 3


def free_mib():
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) >> 10
    return 0


def run(program, library, mib, huge):
    more = {} if huge else {"MM_HUGE": "0"}
    said = output([program, str(mib), str(OPERATIONS)], library, **more)
    operation, touch, _ = said.split()
    return float(operation), float(touch)


def measure(libraries, options):
    most = SIZES[-1]
    if len(options) == 2 and options[0] == "--most":
        most = int(options[1])
    elif options:
        sys.exit(__doc__)
    rows = []
    with built("tests/scale/live.c") as program:
        for mib in SIZES:
            if mib > most or mib * 5 // 4 + 1024 > free_mib():
                print(f"scale.py: {mib} MiB left out", file=sys.stderr)
                continue
            for name, library in libraries:
                runs = sorted(run(program, library, mib, "small" not in name)
                              for _ in range(ROUNDS))
                rows.append((name, mib, *runs[ROUNDS // 2]))
                print(*rows[-1], file=sys.stderr)
    return rows


def table(rows):
    names = distinct(rows, 0)
    found = {(row[0], row[1]): row[2:] for row in rows}

    def cell(name, mib):
        operation, touch = found.get((name, mib), (0, 0))
        return (f"{operation:.0f}, {touch:.0f}: {operation / touch:.2f}"
                if touch else "-")
    return ["live MiB", *names], [
        [f"{mib:,}", *(cell(name, mib) for name in names)]
        for mib in distinct(rows, 1)]


def points(rows):
    names = distinct(rows, 0)
    return ([(names.index(name) + 1, *more) for name, *more in rows],
            {"LIBRARIES": names})


if __name__ == "__main__":
    Runs("scale", "scale.md",
         {"library": str, "live_mib": int, "operation_ns": float,
          "touch_ns": float}, points).main(
        __doc__, [("glibc", ""), ("libmm", OURS), ("libmm small pages", OURS)],
        measure, table)
