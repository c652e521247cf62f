#!/usr/bin/env python3
"""e2e_trace_local.py - scripts/trace_local.py: no block goes from lane to lane,
and nothing else is changed."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402
from trace_file import Trace  # noqa: E402

SCRIPT = ROOT / "scripts/trace_local.py"


def run(*args):
    return subprocess.run([SCRIPT, *map(str, args)], capture_output=True,
                          text=True)


def made(source, lanes):
    """@return the path of the local trace, the two traces"""
    out = Path(tempfile.mkdtemp()) / "local.trace"
    done = run(source, lanes)
    assert done.returncode == 0, done.stderr
    out.write_text(done.stdout)
    return out, Trace(source), Trace(out)


def hand_overs(ops, lanes):
    lane, n = {}, 0
    for op in ops:
        if op.id is not None:
            n += lane.setdefault(op.id, op.thread % lanes) != op.thread % lanes
            lane[op.id] = op.thread % lanes
    return n


def no_block_goes_from_lane_to_lane():
    source = ROOT / "traces/gen-thread-pool-mt.trace.zst"
    for lanes in (1, 3, 8):
        _, before, after = made(source, lanes)
        assert hand_overs(after.ops, lanes) == 0
        assert lanes == 1 or hand_overs(before.ops, lanes) > 1000
        assert [op._replace(thread=0) for op in before.ops] == \
            [op._replace(thread=0) for op in after.ops]


def an_operation_moves_only_to_the_lane_that_came_first():
    _, before, after = made(ROOT / "traces/gen-server-mt.trace.zst", 2)
    first, moved = {}, 0
    for old, new in zip(before.ops, after.ops):
        home = first.setdefault(old.id, old.thread)
        assert new.thread == (old.thread if home % 2 == old.thread % 2
                              else home)
        moved += new.thread != old.thread
    assert moved > 1000


def all_kinds_of_lines_are_written_as_they_were_read():
    source = Path(tempfile.mkdtemp()) / "all.trace"
    source.write_text("mmtrace 1\n# by hand\nids 3\nops 8\nthreads 2\n"
                      "a 0 100\nc 1 3 10\n@1\nm 2 64 200\nr 0 300\nf -1\n"
                      "f 0\n@0\nf 2\nf 1\n")
    out, _, after = made(source, 2)
    assert out.read_text().split("# by hand\n")[1] == (
        "ids 3\nops 8\nthreads 2\na 0 100\nc 1 3 10\n@1\nm 2 64 200\n@0\n"
        "r 0 300\n@1\nf -1\n@0\nf 0\n@1\nf 2\n@0\nf 1\n")


def the_driver_replays_it():
    out, _, _ = made(ROOT / "traces/gen-phases-mt.trace.zst", 2)
    done = subprocess.run([os.environ.get("MDRIVER", ROOT / "mdriver"), "-f",
                           out, "-n", "2", "-r", "1", "-a", "arena"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def what_is_no_trace_or_no_number_is_refused():
    for args in [(), ("x",), ("x", "0"), ("x", "two"), ("x", "2", "3")]:
        done = run(*args)
        assert done.returncode == 1 and "expected a trace and" in done.stderr
    for path in ["/nowhere", __file__]:
        done = run(path, 2)
        assert done.returncode == 1 and path in done.stderr
        assert "docs/traces.md" in done.stderr and not done.stdout


if __name__ == "__main__":
    sys.exit(tap.run([no_block_goes_from_lane_to_lane,
                      an_operation_moves_only_to_the_lane_that_came_first,
                      all_kinds_of_lines_are_written_as_they_were_read,
                      the_driver_replays_it,
                      what_is_no_trace_or_no_number_is_refused]))
