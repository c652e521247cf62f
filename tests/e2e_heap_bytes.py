#!/usr/bin/env python3
"""e2e_heap_bytes.py - scripts/heap_bytes.py counts each byte of a heap once, at
the moment when the program has most."""
import csv
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import run

ROOT = Path(__file__).resolve().parent.parent
MDRIVER = os.path.abspath(os.environ.get("MDRIVER", "mdriver"))
PARTS = ("asked", "headers", "rounding", "slabs", "cached", "sent", "free",
         "own", "untold")
BLOCKS = 300


def trace(size):
    """All are made, every other one is freed, one more is made, all are freed:
    the program has most before the first free."""
    ops = [f"a {i} {size}" for i in range(BLOCKS)]
    ops += [f"f {i}" for i in range(0, BLOCKS, 2)] + ["a 0 1"]
    ops += ["f 0"] + [f"f {i}" for i in range(1, BLOCKS, 2)]
    return "\n".join(["mmtrace 1", f"ids {BLOCKS}", f"ops {len(ops)}",
                      *ops]) + "\n"


def heap_bytes(allocators, *sizes):
    with tempfile.TemporaryDirectory() as scratch:
        files = []
        for size in sizes:
            files.append(Path(scratch, f"t{size}.trace"))
            files[-1].write_text(trace(size), encoding="utf-8")
        out = Path(scratch, "bytes.csv")
        done = subprocess.run(
            [ROOT / "scripts/heap_bytes.py", "--mdriver", MDRIVER, "-o", out,
             "-a", allocators, *files], capture_output=True, text=True,
            check=False)
        if done.returncode:
            return done.stderr
        rows = csv.DictReader(out.read_text(encoding="utf-8").splitlines()[1:])
        return [{k: int(v) if v.isdigit() else v for k, v in row.items()}
                for row in rows]


# ---- the tests ---------------------------------------------------------------

def the_parts_are_the_heap():
    rows = heap_bytes("global,lockfree", 100, 3000)
    assert [(r["allocator"], r["trace"]) for r in rows] == [
        (a, t) for t in ("t100", "t3000") for a in ("global", "lockfree")], rows
    for row in rows:
        assert sum(row[part] for part in PARTS) == row["heap"], row


def blocks_with_headers_have_8_bytes_and_what_is_rounded():
    row = heap_bytes("global", 100)[0]
    assert row["ops"] == BLOCKS, row
    assert row["asked"] == 100 * BLOCKS, row
    assert row["headers"] == 8 * BLOCKS, row
    assert row["rounding"] == 4 * BLOCKS, row
    assert row["slabs"] == row["cached"] == row["sent"] == 0, row


def blocks_of_slabs_have_no_header():
    row = heap_bytes("global", 32)[0]
    assert row["asked"] == 32 * BLOCKS, row
    assert 0 < row["headers"] < 8 * BLOCKS / 2, row
    assert row["slabs"] > 0, row


def records_are_told():
    assert heap_bytes("lockfree", 100)[0]["records"] > 4096


def who_tells_nothing_is_named():
    said = heap_bytes("buddy", 100)
    assert "buddy does not tell what lies between blocks" in said, said


TESTS = [the_parts_are_the_heap,
         blocks_with_headers_have_8_bytes_and_what_is_rounded,
         blocks_of_slabs_have_no_header, records_are_told,
         who_tells_nothing_is_named]

if __name__ == "__main__":
    sys.exit(run(TESTS))
