#!/usr/bin/env python3
"""burst.py - resident memory over time after a burst, ours and others'.

    scripts/burst.py [NAME=LIBRARY ...]     measures, writes docs/burst.csv,
                                            the table in docs/memory.md
    scripts/burst.py --chart FILE.svg       a chart of docs/burst.csv

A library is put under tests/decay/burst.c by LD_PRELOAD; an empty one is the C
library. Without names: glibc, libmm.so, and libmm.so with its own thread.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from marks import rewrite

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "burst.csv"
DOCUMENT = ROOT / "docs" / "memory.md"
JOBS = [("small", 0, "sleep"), ("medium", 0, "sleep"), ("small", 8, "sleep"),
        ("large", 8, "sleep"), ("small", 64, "sleep"), ("small", 8, "end"),
        ("small", 8, "others"), ("large", 8, "others")]
TIMES = (0, 500, 1000, 1500, 2000, 4000)  # ms, columns of the table


def measure(program, name, library, job, main):
    env = dict(os.environ, LD_PRELOAD=library)
    if main == "idle":
        env["MM_BACKGROUND"] = "1"
    command = [program, job[0], str(job[1]), job[2], main]
    out = subprocess.run(command, env=env, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True, check=False)
    rows = [line.split() for line in out.stdout.splitlines()]
    return [(name, " ".join(map(str, job)), main, *map(int, row))
            for row in rows]


def measure_all(libraries):
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        program = f"{scratch}/burst"
        subprocess.run(["gcc", "-O2", "-pthread", "-o", program,
                        ROOT / "tests/decay/burst.c"], check=True)
        for job in JOBS:
            for name, library in libraries:
                main = "idle" if name.endswith("thread") else "calls"
                rows += measure(program, name, library, job, main)
    return rows


def write_data(rows, libraries):
    with open(DATA, "w", encoding="utf-8") as out:
        names = " ".join(name for name, _ in libraries)
        print(f"# scripts/burst.py, libraries: {names}", file=out)
        print("library,job,main,ms,resident_kib,live_kib", file=out)
        for row in rows:
            print(",".join(map(str, row)), file=out)


def read_data():
    with open(DATA, encoding="utf-8") as lines:
        rows = [line.strip().split(",") for line in lines][2:]
    return [(*row[:3], *map(int, row[3:])) for row in rows]


def curves(rows):
    """{job: {library: [(ms, MiB)]}}"""
    found = {}
    for name, job, _main, ms, resident, _live in rows:
        of_job = found.setdefault(job, {})
        of_job.setdefault(name, []).append((ms, resident / 1024))
    return found


def at(curve, ms):
    """The last value that was seen by then."""
    return [mib for when, mib in curve if when <= ms or when == curve[0][0]][-1]


def table(rows):
    lines = ["| burst | library | " +
             " | ".join(f"{ms / 1000:g} s" for ms in TIMES) + " |",
             "|--|--|" + "--|" * len(TIMES)]
    for job, of_job in curves(rows).items():
        for name, curve in of_job.items():
            cells = " | ".join(f"{at(curve, ms):.0f}" for ms in TIMES)
            lines.append(f"| {job} | {name} | {cells} |")
    return "\n".join(lines) + "\n"


def quoted(names):
    """As gnuplot's word() takes them apart."""
    return "'" + " ".join(f'"{name}"' for name in names) + "'"


def chart(rows, file):
    jobs = list(dict.fromkeys(row[1] for row in rows))
    libraries = list(dict.fromkeys(row[0] for row in rows))
    with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
        for name, job, _main, ms, resident, _live in rows:
            print(jobs.index(job) + 1, libraries.index(name) + 1, ms,
                  resident / 1024, sep="\t", file=data)
        data.flush()
        settings = (f"out='{file}'; data='{data.name}'; JOBS={quoted(jobs)}; "
                    f"LIBRARIES={quoted(libraries)}")
        subprocess.run(["gnuplot", "-e", settings,
                        ROOT / "scripts/charts/burst.gp"], check=True)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--chart"] and len(arguments) == 2:
        chart(read_data(), arguments[1])
        return
    if any("=" not in a for a in arguments):
        sys.exit(__doc__)
    ours = str(ROOT / "libmm.so")
    libraries = [a.split("=", 1) for a in arguments] or [
        ("glibc", ""), ("libmm", ours), ("libmm, its thread", ours)]
    libraries = [(name.replace(",", ":"), path) for name, path in libraries]
    rows = measure_all(libraries)
    write_data(rows, libraries)
    rewrite(DOCUMENT, "burst", lambda _: table(rows))


if __name__ == "__main__":
    main()
