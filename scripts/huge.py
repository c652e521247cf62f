#!/usr/bin/env python3
"""huge.py - what huge pages are worth: programs with heaps of 50 to 320 MB
under libmm.so with and without them, and under other allocators.

    scripts/huge.py [ROUNDS]    writes results/huge.csv, docs/memory.md's table

The allocators take turns, run by run; figures are medians of ROUNDS (5) runs:
processor time (user and system), page faults, peak of resident bytes. Before
each run 1 GiB is taken in huge pages, written and given back: in a virtual
machine whose free pages go to the host, the first to touch one waits for it, 16
us for 4 KiB where this was written, and that is no allocator's affair.
"""
import csv
import mmap
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import result_file
from marks import rewrite

ROOT = Path(__file__).resolve().parent.parent
OURS = ROOT / "libmm.so"
ALLOCATORS = {
    "glibc": {},
    "libmm": {"LD_PRELOAD": str(OURS)},
    "libmm, MM_HUGE=0": {"LD_PRELOAD": str(OURS), "MM_HUGE": "0"},
    "mimalloc": {"LD_PRELOAD": "libmimalloc.so.2"},
    "tcmalloc": {"LD_PRELOAD": "libtcmalloc_minimal.so.4"},
    "jemalloc": {"LD_PRELOAD": "libjemalloc.so.2"},
}
PYTHON = "env PYTHONMALLOC=malloc /usr/bin/python3 documents.py"
# name: (workload and its edit, command)
PROGRAMS = {
    "python3, 50 MB": ("documents.py", r"s/range(450)/range(9000)/", PYTHON),
    "python3, 290 MB": ("documents.py", r"s/range(450)/range(60000)/", PYTHON),
    "sqlite3, 135 MB": ("tables.sql", r"s/4000)/400000)/; s/12000)/1200000)/",
                        "/usr/bin/sqlite3 :memory: -init tables.sql .quit"),
    "perl, 130 MB": ("hash.pl", r"s/1 \.\. 20000/1 .. 1500000/",
                     "/usr/bin/perl hash.pl"),
    "heap of 320 MB": (None, None, "./heap 320 1000 1000"),
    "block that grows to 300 MB": (None, None, "./heap 300 10000000 0 grow"),
}
HEADER = ["program", "allocator", "cpu_secs", "faults", "resident_peak"]


def fill(size=1 << 30):
    with mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) as m:
        try:
            m.madvise(mmap.MADV_HUGEPAGE)
        except OSError:
            return
        for at in range(0, size, 4096):
            m[at] = 1


def warm():
    """In a process of its own: a child's peak begins with its parent's."""
    child = os.fork()
    if child == 0:
        fill()
        os._exit(0)
    os.waitpid(child, 0)


def prepare(directory):
    subprocess.run(["gcc", "-O2", "-o", directory / "heap",
                    ROOT / "tests/huge/heap.c"], check=True)
    for name, (source, edit, _) in PROGRAMS.items():
        (directory / name).mkdir()
        (directory / name / "heap").symlink_to("../heap")
        if source:
            text = subprocess.run(
                ["sed", edit, ROOT / "scripts/workloads" / source],
                check=True, capture_output=True).stdout
            (directory / name / source).write_bytes(text)


def run(command, directory, settings):
    """(processor seconds, faults, resident bytes)"""
    with open(os.devnull, "w", encoding="ascii") as null, \
            subprocess.Popen(command.split(), cwd=directory, stdout=null,
                             stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
                             env={**os.environ, **settings}) as p:
        said = p.stderr.read()
        _, status, used = os.wait4(p.pid, 0)
        p.returncode = status
    if status or said:
        said = said.decode(errors="replace")[:200]
        sys.exit(f"huge.py: {command} with {settings}: status {status}; "
                 f"expected 0 and no word, found: {said}")
    return used.ru_utime + used.ru_stime, used.ru_minflt, used.ru_maxrss * 1024


def measure(rounds, directory):
    for name, (_, _, command) in PROGRAMS.items():
        runs = {a: [] for a in ALLOCATORS}
        for _ in range(rounds):
            for allocator, settings in ALLOCATORS.items():
                warm()
                runs[allocator].append(
                    run(command, directory / name, settings))
        for allocator in ALLOCATORS:
            yield [name, allocator, *(statistics.median(x)
                                      for x in zip(*runs[allocator]))]


def table(rows):
    """Time and resident bytes over glibc's, and faults."""
    cells = {(p, a): [float(x) for x in rest] for p, a, *rest in rows}
    lines = ["| " + " | ".join(["program", *ALLOCATORS]) + " |",
             "| -- " * (len(ALLOCATORS) + 1) + "|"]
    for program in PROGRAMS:
        base = cells[program, "glibc"]
        line = [program]
        for allocator in ALLOCATORS:
            secs, faults, resident = cells[program, allocator]
            line.append(f"{secs / base[0]:.2f}, {faults / 1000:.1f} k, "
                        f"{resident / base[2]:.3f}")
        lines.append("| " + " | ".join(line) + " |")
    return "\n".join(lines)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as name:
        prepare(Path(name))
        rows = list(measure(rounds, Path(name)))
    with open(ROOT / "results/huge.csv", "w", encoding="utf-8",
              newline="") as f:
        f.write(f"# {result_file.origin(f'scripts/huge.py {rounds}')}\n")
        csv.writer(f, lineterminator="\n").writerows([HEADER, *rows])
    rewrite(ROOT / "docs/memory.md", "huge", lambda _: table(rows) + "\n")


if __name__ == "__main__":
    main()
