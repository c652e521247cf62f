#!/usr/bin/env python3
"""scale.py - what an operation costs beside 1 MiB to 8 GiB of live memory.

    scripts/scale.py [--most MIB] [NAME=LIBRARY ...]
                              measures, writes docs/scale.csv, the table in
                              docs/scale.md, and the chart docs/scale.svg
    scripts/scale.py --chart FILE.svg   a chart of docs/scale.csv

A library is put under tests/scale/live.c by LD_PRELOAD; an empty one is the C
library. Without names: glibc, libmm.so, and libmm.so without huge pages. Sizes
for which the machine has no memory are left out.
"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from marks import rewrite

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "docs" / "scale.csv"
DOCUMENT = ROOT / "docs" / "scale.md"
SIZES = [1 << i for i in range(14)]
OPERATIONS = 2000000
ROUNDS = 3


def free_mib():
    with open("/proc/meminfo", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) >> 10
    return 0


def run(program, library, mib, huge):
    env = dict(os.environ, LD_PRELOAD=library)
    if not huge:
        env["MM_HUGE"] = "0"
    said = subprocess.run([program, str(mib), str(OPERATIONS)], env=env,
                          stdout=subprocess.PIPE, text=True, check=True).stdout
    operation, touch, _ = said.split()
    return float(operation), float(touch)


def measure(libraries, most):
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        program = f"{scratch}/live"
        subprocess.run(["gcc", "-O2", "-o", program,
                        ROOT / "tests/scale/live.c"], check=True)
        for mib in SIZES:
            if mib > most or mib * 5 // 4 + 1024 > free_mib():
                print(f"scale.py: {mib} MiB left out", file=sys.stderr)
                continue
            for name, library in libraries:
                runs = sorted(run(program, library, mib, "small" not in name)
                              for _ in range(ROUNDS))
                rows.append((name, mib, *runs[ROUNDS // 2]))
                print(*rows[-1], file=sys.stderr)
    return rows


def write_data(rows):
    with open(DATA, "w", encoding="utf-8") as out:
        print("# scripts/scale.py: nanoseconds, medians of", ROUNDS, file=out)
        print("library,live_mib,operation_ns,touch_ns", file=out)
        for row in rows:
            print(",".join(map(str, row)), file=out)


def read_data():
    with open(DATA, encoding="utf-8") as lines:
        rows = [line.strip().split(",") for line in lines][2:]
    return [(name, int(mib), float(operation), float(touch))
            for name, mib, operation, touch in rows]


def table(rows):
    names = list(dict.fromkeys(row[0] for row in rows))
    sizes = list(dict.fromkeys(row[1] for row in rows))
    found = {(row[0], row[1]): row[2:] for row in rows}
    lines = ["| live MiB | " + " | ".join(names) + " |",
             "|--|" + "--|" * len(names)]
    for mib in sizes:
        cells = []
        for name in names:
            operation, touch = found.get((name, mib), (0, 0))
            cells.append(f"{operation:.0f}, {touch:.0f}: "
                         f"{operation / touch:.2f}" if touch else "-")
        lines.append(f"| {mib:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def chart(rows, file):
    names = list(dict.fromkeys(row[0] for row in rows))
    with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
        for name, mib, operation, touch in rows:
            print(names.index(name) + 1, mib, operation, touch, sep="\t",
                  file=data)
        data.flush()
        quoted = "'" + " ".join(f'"{name}"' for name in names) + "'"
        settings = f"out='{file}'; data='{data.name}'; LIBRARIES={quoted}"
        subprocess.run(["gnuplot", "-e", settings,
                        ROOT / "scripts/charts/scale.gp"], check=True)


def main():
    arguments = sys.argv[1:]
    if arguments[:1] == ["--chart"] and len(arguments) == 2:
        chart(read_data(), arguments[1])
        return
    most = SIZES[-1]
    if arguments[:1] == ["--most"] and len(arguments) > 1:
        most = int(arguments[1])
        arguments = arguments[2:]
    if any("=" not in a for a in arguments):
        sys.exit(__doc__)
    ours = str(ROOT / "libmm.so")
    libraries = [a.split("=", 1) for a in arguments] or [
        ("glibc", ""), ("libmm", ours), ("libmm small pages", ours)]
    rows = measure(libraries, most)
    write_data(rows)
    rewrite(DOCUMENT, "scale", lambda _: table(rows))
    chart(rows, ROOT / "docs" / "scale.svg")


if __name__ == "__main__":
    main()
