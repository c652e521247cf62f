#!/usr/bin/env python3
"""heap_bytes.py - where the bytes of a heap go, when most of it is asked for.

    scripts/heap_bytes.py [-a NAMES] [-o OUT.csv] [TRACE...]

Each trace (default: all of traces/) is replayed with each allocator (default:
global,arena,lockfree; only those that tell what lies between blocks, as the
stages do) by `mdriver --watch`, which looks at the whole heap at up to 1,500
moments. Of the one at which the program has most, every byte of the heap is
counted once, in one of the columns COLUMNS; `records` lie outside the heap, and
are what the allocator says of itself (`mdriver --heapmap`). OUT.csv (default:
results/bytes.csv) has a line for each trace and allocator, as soon as that is
known.
"""
import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import result_file
from results_files import Table

ROOT = Path(__file__).resolve().parent.parent
# Bytes: that the program asked for; of headers; that a block has beyond what
# was asked for; of free or not yet carved slots of slabs; of free blocks in a
# bin or an outbox, or in an inbox; of other free blocks; of regions, and of
# slabs that no slot has; that nobody says anything of.
COLUMNS = ["asked", "headers", "rounding", "slabs", "cached", "sent", "free",
           "own", "untold"]
KINDS = {2: "cached", 3: "sent", 4: "own", 5: "untold"}
DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>',
                  re.S)


def fail(message):
    sys.exit(f"heap_bytes.py: {message}")


def count(piece, into):
    """A piece of a frame: docs/watch.md has its eight numbers."""
    _, size, head, asked, kind, _, _, of = piece
    if kind == 0:
        into.update(asked=asked, headers=head, rounding=size - head - asked)
    elif kind == 1:
        into["slabs" if of > 0 and of % 2 else "free"] += size
    else:
        into[KINDS[kind]] += size


def fullest(frames):
    """(operations done, heap, pieces) when the program has most."""
    most = max(frame[1] for frame in frames)
    pieces = {}
    for ops, payload, heap, gone, new in frames:
        for at in gone:
            pieces.pop(at, None)
        if new and not isinstance(new[0], list):
            new = [new[i:i + 8] for i in range(0, len(new), 8)]
        pieces.update((piece[0], piece) for piece in new)
        if payload == most:
            return ops, heap, list(pieces.values())
    return None


def replay(mdriver, trace, allocator, option, out):
    done = subprocess.run(
        [mdriver, "-f", trace, "-a", allocator, option, out],
        capture_output=True, text=True, check=False)
    if done.returncode:
        fail(f"{allocator}: {trace}: mdriver {option} ended with status "
             f"{done.returncode}: {(done.stdout + done.stderr)[-500:]}")
    return Path(out).read_text(encoding="utf-8")


def records(mdriver, trace, allocator, ops, scratch):
    """Bytes of bookkeeping outside the heap, at the sample next to ops."""
    path = Path(scratch, "map.csv")
    replay(mdriver, trace, allocator, "--heapmap", path)
    rows = [row for row in Table(path).rows if row["kind"] == "live"]
    return int(min(rows, key=lambda row: abs(int(row["ops"]) - ops))
               ["bookkeeping"])


def measure(mdriver, trace, allocator, scratch):
    page = replay(mdriver, trace, allocator, "--watch",
                  Path(scratch, "page.html"))
    heap = json.loads(DATA.search(page).group(1))["heaps"][0]
    if not heap["tells"]:
        fail(f"{allocator} does not tell what lies between blocks; expected "
             "one with `walk` (mm.h), as the stages have")
    ops, size, pieces = fullest(heap["frames"])
    bytes_of = Counter(dict.fromkeys(COLUMNS, 0))
    for piece in pieces:
        count(piece, bytes_of)
    return {"allocator": allocator,
            "trace": re.sub(r"\.trace(\.zst)?$", "", Path(trace).name),
            "ops": ops, "heap": size,
            "records": records(mdriver, trace, allocator, ops, scratch),
            **bytes_of}


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-a", default="global,arena,lockfree", dest="names")
    parser.add_argument("-o", default=str(ROOT / "results/bytes.csv"),
                        dest="out")
    parser.add_argument("--mdriver", default=str(ROOT / "mdriver"))
    parser.add_argument("traces", nargs="*")
    return parser.parse_args()


def main():
    asked = arguments()
    traces = asked.traces or sorted((ROOT / "traces").glob("*.trace*"))
    rows = []
    origin = result_file.origin(
        " ".join(["scripts/heap_bytes.py", *sys.argv[1:]]))
    with tempfile.TemporaryDirectory() as scratch:
        for trace in traces:
            for name in asked.names.split(","):
                rows.append(measure(asked.mdriver, str(trace), name, scratch))
                print(rows[-1]["trace"], name, file=sys.stderr, flush=True)
                result_file.write(asked.out, origin,
                                  ["allocator", "trace", "ops", "heap",
                                   *COLUMNS, "records"], rows)


if __name__ == "__main__":
    main()
