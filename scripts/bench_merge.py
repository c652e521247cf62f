#!/usr/bin/env python3
"""bench_merge.py - makes the files in results/ from the cells of bench.sh.

    scripts/bench_merge.py STATE OUT ORIGIN

STATE holds PART,NAME,THREADS.csv: of traces what mdriver wrote, process after
process, of programs what measure.py did. OUT/PART.csv gets one row for each
trace, round or program, number of threads and allocator; ORIGIN is its first
line. OUT/bench.json holds all parts that OUT has, those of an earlier run too.
"""
import csv
import json
import re
import sys
from pathlib import Path

import result_file
from result_file import OWN_COLUMNS, PROGRAM_COLUMNS, TRACE_COLUMNS

MEMORY = ("payload_peak", "heap_peak", "utilization", "touched_peak",
          "resident_peak", "resident_ratio")


def parts_of(path):
    """[[rows of one allocator] of each process], by round and allocator."""
    out = {}
    text = path.read_text(encoding="utf-8")
    for process in re.split(r"^#.*\n", text, flags=re.M)[1:]:
        mine = {}
        for row in csv.DictReader(process.splitlines()):
            mine.setdefault((row["round"], row["allocator"]), []).append(row)
        for key, parts in mine.items():
            out.setdefault(key, []).append(parts)
    return out


def median_of(rows, column):
    values = [float(row[column]) for row in rows if row.get(column)]
    return f"{result_file.quantile(values, 0.5):.9g}" if values else ""


def trace_rows(path):
    """One row for each round and allocator, from all processes; what runs at
    once, copies of a trace or several traces, is one round. The first process'
    latencies stand for all."""
    rows = []
    for processes in parts_of(path).values():
        firsts = [parts[0] for parts in processes]
        row = dict(firsts[0], copies=len(processes[0]),
                   traces=" ".join(part["trace"] for part in processes[0]),
                   ops=firsts[0]["round_ops"])
        row["status"] = next(
            (p["status"] for parts in processes for p in parts
             if p["status"] not in ("valid", "unknown")), firsts[0]["status"])
        row.update(dict.fromkeys(("secs", "secs_best", "spread", "runs",
                                  "samples", "vs_libc"), ""))
        if row["status"] in ("valid", "unchecked"):
            row.update({column: median_of(firsts, column)
                        for column in MEMORY})
            row.update(result_file.timing(
                [[float(word) for word in first["round_samples"].split()]
                 for first in firsts]))
        rows.append(row)
    libc = {r["round"]: r for r in rows if r["allocator"] == "libc"}
    for row in rows:
        reference = libc.get(row["round"], {}).get("secs")
        if row["secs"] and reference:
            row["vs_libc"] = result_file.format_number(
                float(reference) / float(row["secs"]))
    return rows


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


def add_speedup_of_rounds(rows, traces):
    """As add_speedup; one thread's times are those in traces.csv."""
    alone = {(r["trace"], r["allocator"]): float(r["secs"]) for r in traces
             if r["threads"] == "1" and r.get("secs")}
    for row in rows:
        parts = [alone.get((trace, row["allocator"]))
                 for trace in row["traces"].split()]
        row["speedup"] = ""
        if row["secs"] and all(parts):
            row["speedup"] = result_file.format_number(
                sum(parts) / float(row["secs"]))


def cells(state, part):
    """In the order of names, then of threads."""
    paths = state.glob(f"{part},*.csv")
    return sorted(paths, key=lambda p: (p.stem.rsplit(",", 1)[0],
                                        int(p.stem.rsplit(",", 1)[1])))


def program_rows(path):
    return result_file.read(path)[1]


PARTS = {"traces": (TRACE_COLUMNS, trace_rows),
         "own": (OWN_COLUMNS, trace_rows),
         "stress": (PROGRAM_COLUMNS, program_rows),
         "programs": (PROGRAM_COLUMNS, program_rows)}


def rows_of(path):
    return result_file.read(path)[1] if path.exists() else []


def merge(state, out, origin):
    found = {part: [row for path in cells(state, part) for row in read(path)]
             for part, (_, read) in PARTS.items()}
    add_speedup(found["traces"], "trace")
    add_speedup_of_rounds(found["own"],
                          found["traces"] or rows_of(out / "traces.csv"))
    add_speedup(found["stress"], "program")
    add_speedup(found["programs"], "program")
    for part, rows in found.items():
        if rows:
            result_file.write(out / f"{part}.csv", origin, PARTS[part][0],
                              rows)


def as_json(out):
    whole = {}
    for part in PARTS:
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
