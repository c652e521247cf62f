#!/usr/bin/env python3
"""e2e_trace_stats.py - scripts/trace_stats.py: what it counts, and that the
committed results/trace_stats.csv is of the committed traces."""
import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402
from trace_file import Op  # noqa: E402
from trace_stats import bucket, stats  # noqa: E402


def op(letter, block, *sizes, thread=0):
    return Op(letter, block, sizes, thread)


def buckets_hold_their_values():
    for value in [0, 1, 2, 3, 4, 7, 8, 1023, 1024, 1 << 40]:
        least, most = bucket(value)
        assert least <= value < most, (value, least, most)
    assert bucket(8) == (8, 16) and bucket(0) == (0, 1)


def a_trace_by_hand_is_counted():
    found = stats([op("a", 0, 100), op("c", 1, 3, 10), op("r", 0, 200),
                   op("f", 0), op("f", None), op("m", 2, 4096, 64),
                   op("f", 1)])
    assert found == Counter({
        ("size", 64, 128): 2, ("size", 16, 32): 1, ("size", 128, 256): 1,
        ("lifetime", 2, 4): 1, ("lifetime", 4, 8): 1,
        ("frees", 0, 0): 2, ("cross_frees", 0, 0): 0,
        ("left", 0, 0): 1}), found


def a_free_is_cross_if_the_last_to_size_it_was_another_thread():
    found = stats([op("a", 0, 8), op("a", 1, 8), op("r", 1, 9, thread=1),
                   op("f", 0, thread=1), op("f", 1, thread=1)])
    assert found["cross_frees", 0, 0] == 1, found


def an_empty_directory_is_refused():
    done = subprocess.run([ROOT / "scripts/trace_stats.py", "/nowhere"],
                          capture_output=True, text=True)
    assert done.returncode == 1 and "/nowhere: found no" in done.stderr, done


def the_committed_figures_are_of_the_committed_traces():
    fresh = subprocess.run([ROOT / "scripts/trace_stats.py"], cwd=ROOT,
                           capture_output=True, text=True, check=True).stdout
    assert fresh == (ROOT / "results/trace_stats.csv").read_text(), (
        "run scripts/trace_stats.py >results/trace_stats.csv")
    names = {row["trace"] for row in csv.DictReader(fresh.splitlines()[1:])}
    assert len(names) == len(list((ROOT / "traces").glob("*.trace.zst")))


if __name__ == "__main__":
    sys.exit(tap.run([buckets_hold_their_values, a_trace_by_hand_is_counted,
                      a_free_is_cross_if_the_last_to_size_it_was_another_thread,
                      an_empty_directory_is_refused,
                      the_committed_figures_are_of_the_committed_traces]))
