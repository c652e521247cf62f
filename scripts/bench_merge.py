#!/usr/bin/env python3
"""bench_merge.py - makes the files in results/ from the cells of bench.sh.

    scripts/bench_merge.py STATE OUT ORIGIN

STATE holds PART,NAME,THREADS.csv: of traces as mdriver writes it, of programs
as measure.py does. OUT/PART.csv gets one row for each trace or program, number
of threads and allocator; ORIGIN is its first line. OUT/bench.json holds all
parts that OUT has, those of an earlier run too.
"""
import json
import sys
from pathlib import Path

import result_file
from result_file import PROGRAM_COLUMNS, TRACE_COLUMNS

# Columns of mdriver's that describe a round, under our names for them.
OF_ROUND = {"ops": "round_ops", "secs": "round_secs",
            "secs_best": "round_secs_best", "spread": "round_spread",
            "vs_libc": "round_vs_libc", "samples": "round_samples"}


def trace_rows(path):
    """One row for each allocator: the copies of a trace are one round."""
    with open(path, newline="", encoding="utf-8") as file:
        next(file)
        parts = list(result_file.csv.DictReader(file))
    names = list(dict.fromkeys(p["allocator"] for p in parts))
    for name in names:
        mine = [p for p in parts if p["allocator"] == name]
        row = dict(mine[0], copies=len(mine))
        row.update({ours: mine[0][its] for ours, its in OF_ROUND.items()})
        row["status"] = next((p["status"] for p in mine
                              if p["status"] != "unknown"), "unknown")
        yield row


def add_speedup(rows, name):
    """Time that one thread needs for as many operations, over the time."""
    alone = {(r[name], r["allocator"]): r for r in rows
             if r["threads"] == "1" and r.get("secs")}
    for row in rows:
        one = alone.get((row[name], row["allocator"]))
        row["speedup"] = ""
        if one and row.get("secs") and row["ops"] and one["ops"]:
            work = float(row["ops"]) / float(one["ops"])
            row["speedup"] = result_file.format_number(
                float(one["secs"]) * work / float(row["secs"]))


def cells(state, part):
    """In the order of names, then of threads."""
    paths = state.glob(f"{part},*.csv")
    return sorted(paths, key=lambda p: (p.stem.rsplit(",", 1)[0],
                                        int(p.stem.rsplit(",", 1)[1])))


def merge(state, out, origin):
    for part, columns, name, read in (
            ("traces", TRACE_COLUMNS, "trace", trace_rows),
            ("stress", PROGRAM_COLUMNS, "program",
             lambda path: result_file.read(path)[1]),
            ("programs", PROGRAM_COLUMNS, "program",
             lambda path: result_file.read(path)[1])):
        rows = [row for path in cells(state, part) for row in read(path)]
        if rows:
            add_speedup(rows, name)
            result_file.write(out / f"{part}.csv", origin, columns, rows)


def as_json(out):
    whole = {}
    for part in ("traces", "stress", "programs"):
        path = out / f"{part}.csv"
        if not path.exists():
            continue
        origin, rows = result_file.read(path)
        whole[part] = {"origin": origin, "rows": [
            {key: result_file.samples(row) if key == "samples"
             else result_file.number(text) for key, text in row.items()}
            for row in rows]}
    with open(out / "bench.json", "w", encoding="utf-8") as file:
        json.dump(whole, file, indent=1)
        file.write("\n")


if __name__ == "__main__":
    merge(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
    as_json(Path(sys.argv[2]))
