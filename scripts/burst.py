#!/usr/bin/env python3
"""burst.py - resident memory over time after a burst, ours and others'.

    scripts/burst.py [NAME=LIBRARY ...]
                              measures, writes docs/burst.csv, the table in
                              docs/memory.md, and the chart docs/burst.svg
    scripts/burst.py --chart FILE.svg   a chart of docs/burst.csv

A library is put under tests/decay/burst.c by LD_PRELOAD; an empty one is the C
library. Without names: glibc, libmm.so, libmm.so with its own thread, and those
of mimalloc, tcmalloc and jemalloc that are installed.
"""
import sys
from ctypes.util import find_library

from library_runs import OURS, Runs, built, distinct, output

JOBS = [("small", 0, "sleep"), ("medium", 0, "sleep"), ("small", 8, "sleep"),
        ("large", 8, "sleep"), ("small", 64, "sleep"), ("large", 64, "sleep"),
        ("small", 8, "end"), ("small", 8, "others"), ("large", 8, "others")]
PEERS = {"mimalloc": "mimalloc", "tcmalloc": "tcmalloc_minimal",
         "jemalloc": "jemalloc"}
TIMES = (0, 500, 1000, 1500, 2000, 4000)  # ms, columns of the table


def run(program, name, library, job):
    main, more = "calls", {}
    if name.endswith("thread"):
        main, more = "idle", {"MM_BACKGROUND": "1"}
    said = output([program, *map(str, job), main], library, **more)
    return [(name, " ".join(map(str, job)), main, *map(int, line.split()))
            for line in said.splitlines()]


def measure(libraries, options):
    if options:
        sys.exit(__doc__)
    with built("tests/decay/burst.c") as program:
        return [row for job in JOBS for name, library in libraries
                for row in run(program, name, library, job)]


def curves(rows):
    """{(job, library): [(ms, MiB)]}"""
    found = {}
    for name, job, _main, ms, resident, _live in rows:
        found.setdefault((job, name), []).append((ms, resident / 1024))
    return found


def at(curve, ms):
    """The last value that was seen by then."""
    return [mib for when, mib in curve if when <= ms or when == curve[0][0]][-1]


def table(rows):
    return (["burst", "library", *(f"{ms / 1000:g} s" for ms in TIMES)],
            [[*key, *(f"{at(curve, ms):.0f}" for ms in TIMES)]
             for key, curve in curves(rows).items()])


def points(rows):
    jobs, libraries = distinct(rows, 1), distinct(rows, 0)
    return ([(jobs.index(job) + 1, libraries.index(name) + 1, ms,
              resident / 1024) for name, job, _main, ms, resident, _live
             in rows], {"JOBS": jobs, "LIBRARIES": libraries})


def defaults():
    found = [(name, find_library(of)) for name, of in PEERS.items()]
    return [("glibc", ""), ("libmm", OURS), ("libmm, its thread", OURS),
            *(peer for peer in found if peer[1])]


if __name__ == "__main__":
    Runs("burst", "memory.md",
         {"library": str, "job": str, "main": str, "ms": int,
          "resident_kib": int, "live_kib": int}, points).main(
        __doc__, defaults(), measure, table)
