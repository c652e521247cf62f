#!/usr/bin/env python3
"""trace_stats.py - sizes, lifetimes and cross-thread frees of traces, as CSV.

    scripts/trace_stats.py [DIR] >results/trace_stats.csv

A line for each bucket that is not empty: `from` <= value < `to`, buckets are
powers of two.
    size        bytes asked for, by malloc, calloc, memalign, realloc
    lifetime    operations of the trace from a block's birth to its free;
                a realloc does not end it
    left        blocks that the trace does not free
    frees, cross_frees    all, and those by another thread than the one that
                made or last resized the block (one line each, from and to 0)
"""
import sys
from collections import Counter
from pathlib import Path

from trace_file import Trace


def bucket(value):
    """The bounds of the bucket of a whole number from 0."""
    top = 1 << int(value).bit_length()
    return (top // 2, top)


def size(op):
    return op.sizes[0] * op.sizes[1] if op.letter == "c" else op.sizes[-1]


def stats(ops):
    """Counter of (measure, from, to)."""
    found, born, owner = Counter(), {}, {}
    for now, op in enumerate(ops):
        if op.id is None:
            continue
        if op.letter == "f":
            found["lifetime", *bucket(now - born.pop(op.id))] += 1
            found["frees", 0, 0] += 1
            found["cross_frees", 0, 0] += owner.pop(op.id) != op.thread
            continue
        found["size", *bucket(size(op))] += 1
        born.setdefault(op.id, now)
        owner[op.id] = op.thread
    found["left", 0, 0] = len(born)
    return found


def main():
    directory = Path((sys.argv[1:] or ["traces"])[0])
    paths = sorted(directory.glob("*.trace.zst"))
    if not paths:
        sys.exit(f"{directory}: found no *.trace.zst, expected traces; "
                 "name their directory")
    print(f"# command: scripts/trace_stats.py {directory}")
    print("trace,measure,from,to,count")
    for path in paths:
        name = path.name[:-len(".trace.zst")]
        for (measure, least, most), n in sorted(stats(Trace(path).ops).items()):
            print(f"{name},{measure},{least},{most},{n}")


if __name__ == "__main__":
    main()
