"""library_runs.py - a program of tests/ run under libraries: its figures in
docs/NAME.csv, a table in a document and the chart docs/NAME.svg; for scale.py
and burst.py.

    scripts/NAME.py [OPTION ...] [LIBRARY=FILE ...]   measures, writes all three
    scripts/NAME.py --chart FILE.svg                  a chart of docs/NAME.csv

A library is put under the program by LD_PRELOAD; an empty one is the C library.
"""
import os
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import result_file
from marks import rewrite, table

ROOT = Path(__file__).resolve().parent.parent
OURS = str(ROOT / "libmm.so")


@contextmanager
def built(source):
    with tempfile.TemporaryDirectory() as scratch:
        program = f"{scratch}/program"
        subprocess.run(["gcc", "-O2", "-pthread", "-o", program,
                        ROOT / source], check=True)
        yield program


def output(command, library, **more):
    """What it writes; more: of its environment."""
    said = subprocess.run(
        command, env=dict(os.environ, LD_PRELOAD=library, **more), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
    if not said:
        sys.exit(f"found no figures of {' '.join(command)} under "
                 f"'{library}': run it by hand")
    return said


def distinct(rows, column):
    return list(dict.fromkeys(row[column] for row in rows))


class Runs:
    """columns: the name and type of each, the library's first. points(rows):
    what gnuplot draws, and the lists of words that its script names."""

    def __init__(self, name, document, columns, points):
        self.name, self.columns, self.points = name, columns, points
        self.data = ROOT / "docs" / f"{name}.csv"
        self.document = ROOT / "docs" / document

    def write(self, rows):
        result_file.write(
            self.data, result_file.origin(f"scripts/{self.name}.py"),
            self.columns, [dict(zip(self.columns, row)) for row in rows])

    def read(self):
        lines = self.data.read_text(encoding="utf-8").splitlines()[2:]
        return [tuple(make(cell) for make, cell in
                      zip(self.columns.values(), line.split(",")))
                for line in lines]

    def chart(self, rows, file):
        points, words = self.points(rows)
        settings = f"out='{file}'; " + "".join(
            f"{name}='" + " ".join(f'"{word}"' for word in of_name) + "'; "
            for name, of_name in words.items())
        with tempfile.NamedTemporaryFile("w", suffix=".dat") as data:
            for point in points:
                print(*point, sep="\t", file=data)
            data.flush()
            subprocess.run(["gnuplot", "-e", f"{settings}data='{data.name}'",
                            ROOT / f"scripts/charts/{self.name}.gp"],
                           check=True)

    def main(self, doc, libraries, measure, head_and_rows):
        """libraries: where none are named. measure(libraries, options): rows;
        options are the arguments before the libraries."""
        arguments = sys.argv[1:]
        if arguments[:1] == ["--chart"] and len(arguments) == 2:
            self.chart(self.read(), arguments[1])
            return
        named = [a.split("=", 1) for a in arguments if "=" in a]
        options = arguments[:len(arguments) - len(named)]
        if any("=" in a for a in options):
            sys.exit(doc)
        rows = measure([(name.replace(",", ":"), file)
                        for name, file in named or libraries], options)
        self.write(rows)
        rewrite(self.document, self.name, lambda _: table(*head_and_rows(rows)))
        self.chart(rows, ROOT / "docs" / f"{self.name}.svg")
