#!/usr/bin/env python3
"""figures.py - writes the figures of results/ into README.md and docs/.

    scripts/figures.py [RESULTS]            rewrites what is out of date
    scripts/figures.py --check [RESULTS]    status 1 if anything is

A document has a pair of lines

    <!-- figures: NAME -->
    <!-- end of figures -->

and what is between them is one of the tables below, of RESULTS' CSV files
(default: results). Nobody types a figure; the line under a table says which
command gave it.
"""
import re
import sys
from pathlib import Path

from marks import filled, table
from results_files import (Measured, Own, architecture, counted, geomean,
                           machine_of, mean, number, program_files, tables,
                           total_speedup)

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/results.md", "docs/performance.md")
PERCENTILES = (("p50", "half"), ("p99", "99 %"), ("p999", "99.9 %"),
               ("p9999", "99.99 %"))


# ---- tables ------------------------------------------------------------------

def shown(value, form, unit=""):
    return "-" if value is None else format(value, form) + unit


def source(origin):
    """What the first line of a file says, as a sentence."""
    said = dict(re.findall(r"(\w+): ([^;]*)", origin))
    known = [said[what] for what in ("machine", "date") if what in said]
    known += [f"{what} {said[what]}" for what in ("load", "commit")
              if what in said]
    return f"\n`{said.get('command', '?')}`; {'; '.join(known)}.\n"


def newest(sources):
    """The last one of each machine."""
    return "".join(map(source, {machine_of(s): s for s in sources}.values()))


def percent(value):
    return shown(value and 100 * value, ".1f", " %")


def many(n):
    return f"{n} thread{'s' * (n > 1)}"


class Round:
    """The rounds of an allocator with so many threads, summed up."""

    def __init__(self, m, allocator, threads):
        rows = m.rounds(allocator, threads)

        def column(name):
            return [number(r, name) for r in rows]
        self.rounds = len(rows)
        self.utilization = percent(mean(column("utilization")))
        self.resident = shown(geomean(column("resident_ratio")), ".2f")
        self.vs_libc = shown(geomean(column("round_vs_libc")), ".2f", "x")
        self.speedup = shown(total_speedup(rows), ".2f", "x")


def overview(files):
    """One thread, and the main job: most threads, each with its own trace."""
    m, own = Measured(files), Own(files)
    n = own.threads()[-1]
    rows = []
    for a in m.allocators():
        one, job = Round(m, a, 1), Round(own, a, n)
        rows.append([a, one.utilization, one.resident, one.vs_libc,
                     job.resident, job.vs_libc])
    traces = len(m.single(m.allocators()[0]))
    return table([f"{traces} traces", "utilization", "resident / written",
                  "speed", f"resident / written, {many(n)}",
                  f"speed, {many(n)}"], rows) + newest(own.sources)


def by_threads(m):
    counts = m.threads()
    traces = len(m.single(m.allocators()[0]))
    head = [f"{traces} traces"] + [
        f"{what}, {n}" for what in ("resident", "speed", "speedup")
        for n in counts if what != "speedup" or n > 1]
    rows = []
    for a in m.allocators():
        known = {n: Round(m, a, n) for n in counts}
        rows.append([a] + [known[n].resident for n in counts] +
                    [known[n].vs_libc for n in counts] +
                    [known[n].speedup for n in counts if n > 1])
    return table(head, rows) + newest(m.sources)


def own_rounds(files):
    """The main job, as far as it was valid."""
    own = Own(files)
    n = own.threads()[-1]
    most = max(Round(own, a, n).rounds for a in own.allocators())
    rows = []
    for a in own.allocators():
        job = Round(own, a, n)
        rows.append([a, f"{job.rounds}/{most}", job.utilization, job.resident,
                     job.vs_libc, job.speedup])
    return table([f"{n} threads", "rounds valid", "utilization",
                  "resident / written", "speed", "speedup"], rows) + \
        newest(own.sources)


def latency(files):
    m = Measured(files)
    rows = [[a, n] + [shown(geomean(number(r, f"{call}_{p}_ns")
                                    for r in m.rounds(a, n)), ".0f")
                      for call in ("malloc", "free") for p, _ in PERCENTILES]
            for n in (m.threads()[0], m.threads()[-1]) for a in m.allocators()]
    return table(["ns", "threads"] + [f"{call} {name}"
                                      for call in ("malloc", "free")
                                      for _, name in PERCENTILES], rows) + \
        newest(m.sources)


def programs(files, stem):
    """Speed and peak of memory; threads are in the program's name."""
    found = [t for t in program_files(files)
             if re.fullmatch(rf"{stem}(-.*)?", t.path.stem)]
    said = [r for t in found for r in t.rows]
    names = list(dict.fromkeys(r["allocator"] for r in said))
    cells = {(r["program"], int(r["threads"]), r["allocator"]): r
             for r in said}
    rows = []
    for program, n in dict.fromkeys(key[:2] for key in cells):
        line = [f"{program}, {n}"]
        for a in names:
            row = cells.get((program, n, a), {"status": "-"})
            peak = number(row, "resident_peak")
            line.append(f"{shown(number(row, 'vs_libc'), '.2f', 'x')}, "
                        f"{peak / 1e6:.0f}" if peak else row["status"])
        rows.append(line)
    return table(["program, threads: speed, MB"] + names, rows) + \
        newest(t.source for t in found)


def per_operation(rows):
    """allocator -> figures of the traces that all finished."""
    bad = {r["trace"] for r in rows if r["status"] != "valid"}
    per = {}
    for row in rows:
        if row["trace"] not in bad:
            per.setdefault(row["allocator"], []).append(number(row, "per_op"))
    return per


def machines(files):
    """Instructions of an operation on each machine, geometric means over the
    traces that all finished there."""
    found = [counted(files)[0], *counted(files, True)]
    columns = [per_operation(t.rows) for t in found]
    rows = [[a] + [shown(geomean(c.get(a, [])), ".1f") for c in columns]
            for a in dict.fromkeys(a for c in columns for a in c)]
    heads = ["instructions an operation", *map(architecture, found)]
    return table(heads, rows) + \
        "".join(source(t.source) for t in found[1:])


def instructions(files):
    """Means over the traces that all finished."""
    found = counted(files)[0]
    per = per_operation(found.rows)
    return table(["", "instructions an operation, geometric mean",
                  "least", "most"],
                 [[a, f"{geomean(v):.1f}", f"{min(v):.1f}", f"{max(v):.1f}"]
                  for a, v in per.items()]) + source(found.source)


BYTES = ("asked", "headers", "rounding", "slabs", "cached", "sent", "free",
         "own", "untold", "records")


def heap_bytes(files):
    """Each byte of a heap once, in percent of it; records come on top. Of all
    allocators the mean, of the last one each trace."""
    found = [t for t in files if t.holds("heap", *BYTES)][-1]
    shown_kinds = [k for k in BYTES if any(number(r, k) for r in found.rows)]

    def line(rows):
        return [format(mean([100 * number(r, k) / number(r, "heap")
                             for r in rows]), ".1f") for k in shown_kinds]
    per = {}
    for row in found.rows:
        per.setdefault(row["allocator"], []).append(row)
    rows = [[a, "mean", "", *line(v)] for a, v in per.items()]
    rows += [[r["allocator"], r["trace"],
              format(number(r, "heap") / 2**20, ".2f"), *line([r])]
             for r in list(per.values())[-1]]
    return table(["", "trace", "heap, MiB", *(f"{k}, %" for k in shown_kinds)],
                 rows) + source(found.source)


TABLES = {"overview": overview,
          "same": lambda files: by_threads(Measured(files)),
          "own": own_rounds, "latency": latency,
          "stress": lambda files: programs(files, "stress"),
          "programs": lambda files: programs(files, "programs"),
          "instructions": instructions, "machines": machines,
          "bytes": heap_bytes}


# ---- documents ---------------------------------------------------------------

def all_filled(text, files):
    def block(name):
        if name not in TABLES:
            sys.exit(f"figures.py: found the mark of figures '{name}', "
                     f"expected one of {', '.join(TABLES)}")
        try:
            return TABLES[name](files)
        except IndexError:
            sys.exit(f"figures.py: no figures for '{name}' in the CSV files; "
                     "scripts/bench.sh and scripts/count.sh measure them")
    return filled(text, "figures", block)


def main():
    arguments = sys.argv[1:]
    check = arguments[:1] == ["--check"]
    arguments = arguments[check:]
    if len(arguments) > 1 or "-h" in arguments:
        sys.exit(__doc__)
    files = tables(Path(arguments[0]) if arguments else ROOT / "results")
    old = False
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = all_filled(text, files)
        if new != text:
            old = True
            print(f"figures.py: {name} "
                  f"{'is out of date: make figures' if check else 'written'}")
            if not check:
                path.write_text(new, encoding="utf-8")
    return int(check and old)


if __name__ == "__main__":
    sys.exit(main())
