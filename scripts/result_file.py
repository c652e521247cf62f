"""result_file.py - reads and writes the CSV files in results/.

The first line is a comment, `# command: ..; commit: ..; machine: ..; date: ..`,
the second names the columns; what is not known is empty. docs/bench.md
describes them. `samples` holds the seconds of each run: those of one process
with spaces between, processes with `;` between. Run i of process k of every
allocator of a cell was timed in the same turn.
"""
import csv
import os
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TRACE_COLUMNS = (
    "threads,trace,allocator,status,copies,lanes,ops,secs,secs_best,spread,"
    "runs,vs_libc,speedup,payload_peak,heap_peak,utilization,touched_peak,"
    "resident_peak,resident_ratio").split(",") + [
        f"{call}_{figure}" for call in ("malloc", "free", "realloc")
        for figure in ("calls", "p50_ns", "p99_ns", "p999_ns", "p9999_ns",
                       "max_ns")] + ["samples"]
# Of what runs at once when each thread has its own trace.
OWN_COLUMNS = ["threads", "round", "traces"] + [
    column for column in TRACE_COLUMNS
    if column not in ("threads", "trace", "copies", "lanes")]
PROGRAM_COLUMNS = (
    "threads,program,allocator,status,ops,secs,secs_best,spread,runs,vs_libc,"
    "speedup,cpu_secs,resident_peak,samples").split(",")


class Broken(Exception):
    """A file that is no result file: one line that says why."""


def read(path):
    """The comment without `# `, and the rows: dictionaries of strings."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            lines = file.read().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise Broken(f"{path}: cannot read it: {error}") from None
    comment = lines.pop(0)[1:].strip() if lines[:1] and \
        lines[0].startswith("#") else ""
    rows = list(csv.DictReader(lines))
    for column in ("threads", "allocator", "status", "samples"):
        if not lines or column not in lines[0].split(","):
            raise Broken(f"{path}: found no column `{column}`, expected a file "
                         "of scripts/bench.sh")
    return comment, rows


def said_by(*command):
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True,
                          check=False)
    return done.stdout.strip() or "unknown"


def origin(command):
    """The comment of a file that is made by this command now, on this machine."""
    uname = os.uname()
    return (f"command: {command}; "
            f"commit: {said_by('git', 'rev-parse', '--short', 'HEAD')}; "
            f"machine: {said_by('scripts/cpu_name.sh')}, "
            f"{len(os.sched_getaffinity(0))} processors, {uname.sysname} "
            f"{uname.release} {uname.machine}; "
            f"date: {time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())}")


def write(path, comment, columns, rows):
    with open(path, "w", newline="", encoding="utf-8") as file:
        file.write(f"# {comment}\n")
        out = csv.DictWriter(file, columns, lineterminator="\n",
                             extrasaction="ignore")
        out.writeheader()
        out.writerows(rows)


def samples(row):
    """[[seconds of each run] of each process]"""
    return [[float(word) for word in process.split()]
            for process in row["samples"].split(";") if process]


def number(text):
    """A cell as JSON has it: null, a number, or a string."""
    if text == "":
        return None
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value == int(value) and "." not in text else value


def format_number(value):
    return f"{value:.6g}"


def quantile(values, fraction):
    """As driver/base/clock.c: between the two neighbours."""
    ordered = sorted(values)
    at = fraction * (len(ordered) - 1)
    low = int(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])


def timing(processes):
    """The columns that sum up the seconds of a row's runs."""
    values = [secs for process in processes for secs in process]
    if not values:
        return {}
    median = quantile(values, 0.5)
    spread = (quantile(values, 0.75) - quantile(values, 0.25)) / median
    return {"secs": format_number(median),
            "secs_best": format_number(min(values)),
            "spread": format_number(spread), "runs": len(values),
            "samples": ";".join(" ".join(map(format_number, process))
                                for process in processes)}
