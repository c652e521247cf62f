"""results_files.py - reads what results/ holds, for charts and the report.

A result file is CSV behind a first line `# command: ...; date: ...; machine:
...`. Columns of `mdriver --csv` and `--heapmap`: docs/driver.md.
"""
import csv
import math
import re
from collections import Counter
from pathlib import Path


class Table:
    """One file: .path, .source (its first line), .columns, .rows (dicts)."""

    def __init__(self, path):
        self.path = Path(path)
        lines = self.path.read_text(encoding="utf-8").splitlines()
        heads = [x for x in lines if x.startswith("#")]
        self.source = heads[0].lstrip("# ") if heads else ""
        reader = csv.DictReader(x for x in lines if not x.startswith("#"))
        self.rows = list(reader)
        self.columns = reader.fieldnames or []

    def holds(self, *columns):
        return set(columns) <= set(self.columns)

    def said(self, what):
        """What the first line says of `date` or `machine`, or ""."""
        found = re.search(rf"\b{what}: ([^;]*)", self.source)
        return found.group(1) if found else ""

    def machine(self):
        return machine_of(self.source)


def counted(files, others=False):
    """Files of count.sh: of this machine, or of those that qemu plays."""
    return sorted((t for t in files if t.rows and
                   t.holds("per_op", "loop_per_op") and
                   t.holds("machine") == others), key=lambda t: t.path.name)


def architecture(table):
    """What the first line of a file of count.sh calls its machine."""
    return table.said("machine").split(" by ")[0].split(",")[0].split()[-1]


def machine_of(source):
    """Its processor and how many, or ""; and what it is, if not x86-64: qemu
    has the name of the processor that it runs on."""
    found = re.search(r"\bmachine: ([^;]*? processors)\b(?:[^;]* (aarch64|"
                      r"riscv64)\b)?", source)
    return ", ".join(filter(None, found.groups())) if found else ""


def tables(directory):
    """All result files, the oldest first: a newer one may correct it."""
    found = [Table(p) for p in sorted(Path(directory).glob("*.csv"))]
    found.sort(key=lambda t: t.said("date"))
    name_machines(found)
    return found


def name_machines(found):
    """Several machines: all but that of most files are named behind their
    allocators, so that no figure stands for another machine's."""
    said = Counter(t.machine() for t in found if t.machine())
    main = said.most_common(1)[0][0] if said else ""
    for t in found:
        if t.machine() not in ("", main) and t.holds("allocator"):
            for row in t.rows:
                row["allocator"] = f"{row['allocator']}, {t.machine()}"


def number(row, column):
    """The figure in a cell; None if it is not known."""
    text = row.get(column) or ""
    return float(text) if text else None


def as_round(row):
    """A line of bench.sh with the columns of its round, too."""
    if "round_secs" in row:
        return row
    figures = ("secs", "ops", "vs_libc", "speedup")
    trace = row.get("trace") or row["traces"]
    return row | {f"round_{x}": row.get(x) for x in figures} | {
        "trace": trace, "round": row.get("round", trace)}


class Measured:
    """All valid replays of traces, and the first lines of their files.

    Two kinds of files hold replays: those of `mdriver --csv`, in which a round
    may be of several traces, and those of bench.sh, in which each line is a
    round. The newest file that has an allocator with so many threads counts.
    """

    COLUMNS = ("threads", "allocator", "trace", "status", "secs", "vs_libc")

    def __init__(self, files):
        self.parts, self.processors, origin = {}, 0, {}
        for t in files:
            if t.holds(*self.COLUMNS):
                origin |= dict.fromkeys(self.add(t), t.source)
        self.sources = list(dict.fromkeys(origin.values()))

    def add(self, table):
        """@return: the (allocator, threads) of its rows"""
        found = re.search(r"(\d+) processors", table.said("machine"))
        if found:
            self.processors = max(self.processors, int(found.group(1)))
        rows = [as_round(row) for row in table.rows
                if row["status"] in ("valid", "unchecked") and row["secs"]]
        cells = {(row["allocator"], int(row["threads"])) for row in rows}
        self.parts = {k: v for k, v in self.parts.items()
                      if k[:2] not in cells}
        self.parts |= {(row["allocator"], int(row["threads"]), row["round"],
                        row.get("first_thread"), row["trace"]): row
                       for row in rows}
        return cells

    def allocators(self):
        return list(dict.fromkeys(key[0] for key in self.parts))

    def threads(self):
        return sorted({key[1] for key in self.parts})

    def single(self, allocator):
        """trace -> row of the replays by one thread, each a round."""
        return {k[4]: row for k, row in self.parts.items()
                if k[0] == allocator and k[1] == 1}

    def rounds(self, allocator, threads):
        """One row of each round; what begins with round_ is its own."""
        return list({k[2]: row for k, row in self.parts.items()
                     if k[:2] == (allocator, threads)}.values())


class Own(Measured):
    """Rounds of bench.sh in which each thread had a trace of its own; with one
    thread any round is such a one."""

    COLUMNS = ("threads", "allocator", "traces", "status", "secs", "vs_libc")

    def __init__(self, files):
        super().__init__(files)
        alone = {k: row for k, row in Measured(files).parts.items()
                 if k[1] == 1 and k[0] in self.allocators()}
        self.parts = alone | self.parts


def program_files(files):
    """Those of programs under each allocator: stress.csv, programs.csv."""
    return [t for t in files
            if t.rows and t.holds("program", "threads", "resident_peak")]


def mean(values):
    values = [v for v in values if v is not None]
    return sum(values) / len(values) if values else None


def geomean(values):
    values = [v for v in values if v]
    return (math.exp(sum(map(math.log, values)) / len(values))
            if values else None)


def total_speedup(rounds):
    """As mdriver's summary: sum of one thread's times over sum of these."""
    known = [(number(r, "round_secs"), number(r, "round_speedup"))
             for r in rounds if number(r, "round_speedup")]
    here = sum(secs for secs, _ in known)
    return sum(s * up for s, up in known) / here if here else None
