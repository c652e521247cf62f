#!/usr/bin/env python3
"""progression.py - counts what each stage adds to the one before, in files and
lines, and writes the tables of README.md and docs/.

    scripts/progression.py            rewrites what is out of date
    scripts/progression.py --check    status 1 if a count is, by more than 5 %:
                                      a few lines need no new documents
    scripts/progression.py --show     prints the tables

A document has a pair of lines

    <!-- progression: NAME -->
    <!-- end of progression -->

and what is between them is one of TABLES. A stage's files are those that its
mm/STAGE/stage.h includes, directly or not; comments and empty lines count.
"""
import difflib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/design.md", "docs/map.md")
BLOCK = re.compile(
    r"(<!-- progression: (\w+) -->\n).*?(<!-- end of progression -->)", re.S)
INCLUDE = re.compile(r'^\s*#\s*include\s*"(mm/[^"]+)"', re.M)
POLICY = "mm/engine/seglist.h"    # what MM_FIT stands for in the stages
STAGES = ("global", "per_thread", "arena", "lockfree")

# What malloc and free of a stage lead through, in the order to be read.
READING = {
    "global": ["mm/util.h", "mm/engine/block.h", "mm/engine/pagemap.h",
               "mm/engine/sizeclass.h", "mm/engine/fit.h", POLICY,
               "mm/engine/heap.h", "mm/engine/run.h", "mm/engine/arena.h",
               "mm/global/stage.h"],
    "per_thread": ["mm/lock.h", "mm/front/high_water.h",
                   "mm/per_thread/stage.h"],
    "arena": ["mm/front/cache.h", "mm/front/seat.h", "mm/front/outbox.h",
              "mm/front/inbox.h", "mm/front/owners.h", "mm/arena/shard.h",
              "mm/front/remote.h", "mm/engine/merge.h", "mm/front/adopt.h",
              "mm/front/rich.h", "mm/arena/remote.h", "mm/front/purge.h",
              "mm/front/novice.h", "mm/arena/thread.h", "mm/front/front.h",
              "mm/arena/stage.h"],
    "lockfree": ["mm/lockfree/lists.h", "mm/lockfree/shard.h",
                 "mm/lockfree/remote.h", "mm/lockfree/steal.h",
                 "mm/lockfree/thread.h", "mm/lockfree/stage.h"],
}


def lines_of(name):
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


def count(names):
    return sum(len(lines_of(name)) for name in names)


def files_of(stage):
    """What a stage is made of, the policy included."""
    todo, found = [f"mm/{stage}/stage.h"], set()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            text = (ROOT / name).read_text(encoding="utf-8")
            todo += INCLUDE.findall(text)
            if "#include MM_FIT" in text:
                todo.append(POLICY)
    return found


def differing(name, before):
    """Lines of a file that its namesake of another room has not."""
    return sum(line.startswith("+ ") for line in
               difflib.ndiff(lines_of(before), lines_of(name))
               ) if (ROOT / before).is_file() else len(lines_of(name))


def table(head, rows):
    rows = [head, ["--"] * len(head)] + rows
    return "".join(f"| {' | '.join(map(str, row))} |\n" for row in rows)


def steps():
    rows, before, last = [], set(), None
    for stage in STAGES:
        files = files_of(stage)
        new, gone = files - before, before - files
        own = sorted(n for n in files if n.startswith(f"mm/{stage}/"))
        differs = "" if last is None else sum(
            differing(n, n.replace(f"/{stage}/", f"/{last}/")) for n in own)
        rows.append([f"`{stage}`", len(files), count(files), len(new),
                     count(new), len(gone), count(own), differs])
        before, last = files, stage
    return table(["stage", "files", "lines", "new files", "their lines",
                  "files left out", "lines in its own room",
                  "of these not in the last one's"], rows)


def reading():
    rows, sum_of_all = [], 0
    for stage in STAGES:
        files = files_of(stage)
        for name in READING[stage]:
            if name not in files:
                sys.exit(f"progression.py: READING of {stage}: found {name}, "
                         "expected a file that the stage includes")
        lines = count(READING[stage])
        sum_of_all += lines
        names = " ".join(f"`{n.removeprefix('mm/')}` {len(lines_of(n))}"
                         for n in READING[stage])
        rows.append([f"`{stage}`", names, lines])
    return table(["to the rows above", "read in `mm/`, with their lines",
                  "lines"], rows)


TABLES = {"steps": steps, "reading": reading}


def filled(text):
    def block(match):
        head, name, end = match.groups()
        if name not in TABLES:
            sys.exit(f"progression.py: found the mark of '{name}', expected "
                     f"one of {', '.join(TABLES)}")
        return f"{head}{TABLES[name]()}{end}"
    return BLOCK.sub(block, text)


def near(old, new):
    """Do the texts say the same, but for counts that are 5 % off?"""
    number = re.compile(r"\d+")
    if number.sub("", old) != number.sub("", new):
        return False
    return all(abs(int(a) - int(b)) <= max(int(b) / 20, 2) for a, b in
               zip(number.findall(old), number.findall(new)))


def main():
    arguments = sys.argv[1:]
    if arguments == ["--show"]:
        print("\n".join(make() for make in TABLES.values()), end="")
        return 0
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    old = False
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = filled(text)
        if arguments and not near(text, new):
            old = True
            print(f"progression.py: {name} is out of date: make figures")
        elif not arguments and new != text:
            print(f"progression.py: {name} is written")
            path.write_text(new, encoding="utf-8")
    return int(old)


if __name__ == "__main__":
    sys.exit(main())
