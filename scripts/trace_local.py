#!/usr/bin/env python3
"""trace_local.py - the same trace without hand-overs between lanes.

    scripts/trace_local.py TRACE LANES >local.trace

The driver folds thread t of a trace into lane t % LANES. Here each operation
on a block that another lane touched first is given to the thread that did:
same operations, same order, but no block goes from lane to lane. Replayed by
as many threads, the difference to TRACE is what handing over costs.
"""
import sys

from trace_file import Trace, trace_text


def localized(ops, lanes):
    """The operations, each block's all in one lane."""
    home, out = {}, []
    for op in ops:
        if op.id is not None:
            first = home.setdefault(op.id, op.thread)
            if first % lanes != op.thread % lanes:
                op = op._replace(thread=first)
        out.append(op)
    return out


def line(op):
    """The operation as a trace file has it."""
    block = -1 if op.id is None else op.id
    return " ".join(map(str, (op.letter, block, *op.sizes)))


def main():
    if len(sys.argv) != 3 or not sys.argv[2].isdigit() or sys.argv[2] == "0":
        sys.exit(f"trace_local.py: found {' '.join(sys.argv[1:]) or 'nothing'},"
                 " expected a trace and a number of lanes from 1:"
                 " scripts/trace_local.py TRACE LANES")
    path, lanes = sys.argv[1], int(sys.argv[2])
    try:
        trace = Trace(path)
    except (OSError, ValueError) as what:
        sys.exit(f"trace_local.py: {what}; expected a trace in our format:"
                 " docs/traces.md")
    ops = localized(trace.ops, lanes)
    sys.stdout.write(trace_text(
        [f"trace_local.py {path} {lanes}", *trace.comments],
        {**trace.header, "threads": len({op.thread for op in ops})},
        ((op.thread, line(op)) for op in ops)))


if __name__ == "__main__":
    main()
