#!/usr/bin/env python3
"""progression.py - what each stage adds to the one before, counted in mm/.

    scripts/progression.py            rewrites the tables in the documents
    scripts/progression.py --check    status 1 if one is out of date; counts of
                                      lines may be 5 % off, so that a few more
                                      need no new documents
    scripts/progression.py --show     prints the tables

A stage is mm/STAGE/stage.h and every file of mm/ that it includes, directly or
not. A document has a pair of lines

    <!-- progression: NAME -->
    <!-- end of progression -->

and what is between them is one of TABLES. Lines are counted twice: all of them,
and those that hold code, without blank lines and comments.
"""
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from marks import filled, table

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "docs/design.md", "docs/map.md")
INCLUDE = re.compile(r'^#include (?:"(mm/[^"]+)"|(MM_FIT))', re.M)
COMMENT = re.compile(r"""(['"])(?:\\.|(?!\1)[^\\\n])*\1|//[^\n]*|/\*.*?\*/""",
                     re.S)
FIT = "mm/engine/seglist.h"  # what MM_FIT is unless make says otherwise

STAGES = ("global", "per_thread", "arena", "lockfree")
FAMILY = "mm.c"

# What the files are for that the largest step, arena, adds.
IDEAS = {
    "the front end: bins, and the ways of malloc and free": (
        "mm/front/cache.h", "mm/front/front.h", "mm/front/slow.h",
        "mm/front/thread.h", "mm/front/state.h", "mm/front/hooks.h",
        "mm/front/check.h", "mm/arena/thread.h"),
    "remote frees": ("mm/front/outbox.h", "mm/front/inbox.h",
                     "mm/front/remote.h", "mm/arena/remote.h"),
    "arenas that change hands: owners, adoption, merging": (
        "mm/arena/registry.h", "mm/front/owners.h", "mm/front/novice.h",
        "mm/front/birth.h", "mm/front/rich.h", "mm/front/adopt.h",
        "mm/engine/merge.h"),
    "memory that goes back by itself": (
        "mm/front/decay.h", "mm/front/purge.h", "mm/front/low_water.h",
        "mm/arena/steal.h"),
    "counted from outside": ("mm/front/census.h",),
}

# What to read, in this order, to understand malloc and free; each stage's after
# those of the stages before.
READ = {
    "global": ("mm/engine/block.h", "mm/engine/pagemap.h",
               "mm/engine/sizeclass.h", "mm/engine/fit.h",
               "mm/engine/seglist.h", "mm/engine/region.h", "mm/engine/heap.h",
               "mm/engine/slab.h",
               "mm/engine/arena.h", "mm/lock.h", "mm/stage.h",
               "mm/global/stage.h"),
    "per_thread": ("mm/exit.h", "mm/per_thread/shard.h", "mm/gate.h",
                   "mm/per_thread/stage.h"),
    "arena": ("mm/front/cache.h", "mm/front/outbox.h", "mm/front/inbox.h",
              "mm/front/thread.h", "mm/front/owners.h", "mm/front/remote.h",
              "mm/arena/shard.h", "mm/arena/registry.h", "mm/arena/remote.h",
              "mm/arena/steal.h", "mm/arena/thread.h", "mm/front/hooks.h", "mm/front/slow.h",
              "mm/front/front.h", "mm/arena/stage.h"),
    "lockfree": ("mm/lockfree/stack.h", "mm/lockfree/shard.h",
                 "mm/lockfree/registry.h", "mm/lockfree/remote.h", "mm/lockfree/steal.h",
                 "mm/lockfree/thread.h", "mm/lockfree/stage.h"),
}

def fail(message):
    sys.exit(f"progression.py: {message}")


# ---- the tree ----------------------------------------------------------------

def blank(match):
    text = match.group()
    return text if text[0] in "\"'" else re.sub(r"[^\n]+", " ", text)


class Tree:
    """The files of mm/, each read once."""

    def __init__(self, root):
        self.root = root
        self.texts = {}

    def text(self, name, whence="the list in scripts/progression.py"):
        if name not in self.texts:
            path = self.root / name
            if not path.is_file():
                fail(f"found no {name}, which {whence} names; "
                     "mend the name there")
            self.texts[name] = path.read_text(encoding="utf-8")
        return self.texts[name]

    def code(self, name):
        """Its lines that hold code."""
        lines = COMMENT.sub(blank, self.text(name)).split("\n")
        return [line.rstrip() for line in lines if line.strip()]

    def lines(self, name):
        return self.text(name).splitlines()

    def reached(self, *names):
        """The files of mm/ that these include, and they."""
        found, todo = set(), [(name, "the stage") for name in names]
        while todo:
            name, whence = todo.pop()
            if name in found:
                continue
            text = self.text(name, whence)
            found.add(name)
            todo += [(file or FIT, name) for file, _ in INCLUDE.findall(text)]
        return found

    def stage(self, stage):
        return self.reached(f"mm/{stage}/stage.h", FAMILY) - {FAMILY}


def differing(old, new):
    """(lines only in new, lines only in old), as diff counts them."""
    with tempfile.TemporaryDirectory() as here:
        paths = [Path(here, "old"), Path(here, "new")]
        for path, lines in zip(paths, (old, new)):
            path.write_text("".join(f"{line}\n" for line in lines),
                            encoding="utf-8")
        said = subprocess.run(["diff", *paths], stdout=subprocess.PIPE,
                              text=True, check=False).stdout.splitlines()
    return (sum(line[0] == ">" for line in said),
            sum(line[0] == "<" for line in said))


class Step:
    """From one stage to the next: files of one name in the two rooms are
    compared, all others are added or dropped whole."""

    def __init__(self, tree, before, after):
        had, has = tree.stage(before), tree.stage(after)
        dropped, added = had - has, has - had

        def twin(name):
            return name.replace(f"mm/{after}/", f"mm/{before}/")
        self.same = sorted(n for n in added if twin(n) in dropped)
        self.added = sorted(added - set(self.same))
        self.dropped = sorted(dropped - {twin(n) for n in self.same})
        self.twins = [(twin(name), name) for name in self.same]
        self.tree = tree
        alike = self.alike()
        self.plus, self.minus = [p for p, _ in alike], [m for _, m in alike]
        for i, lines in enumerate((tree.lines, tree.code)):
            self.plus[i] += sum(len(lines(n)) for n in self.added)
            self.minus[i] += sum(len(lines(n)) for n in self.dropped)

    def alike(self):
        """[(new, gone) lines, (new, gone) of code] of files of one name."""
        pairs = [[differing(lines(old), lines(new)) for old, new in self.twins]
                 for lines in (self.tree.lines, self.tree.code)]
        return [tuple(map(sum, zip(*pair))) or (0, 0) for pair in pairs]


# How many lines a step may take to be read in one go: to two stages it adds;
# lockfree has other rooms instead, so there both sides of the diff count.
def growth(step):
    return [p - m for p, m in zip(step.plus, step.minus)]


def difference(step):
    return [p + m for p, m in zip(step.plus, step.minus)]


# What is reached. The arena's: 1,400 of the front end and adoption;
# 250 for memory that goes back by itself; 100 each for bins that slabs fill and
# large blocks wait in, for what a thread does in its own arena without entering
# once more, and for counting it from outside; 50 for purges that time pays for;
# 25 for a sender that is certain before it calls a label wrong.
AIMS = {"per_thread": (250, growth), "arena": (2025, growth),
        "lockfree": (1050, difference)}


# ---- tables ------------------------------------------------------------------

def pair(counts):
    return f"{counts[0]:,} ({counts[1]:,})"


def size(tree, names):
    return pair((sum(len(tree.lines(n)) for n in names),
                 sum(len(tree.code(n)) for n in names)))


def files(names):
    return ", ".join(f"`{name[3:]}`" for name in names) or "-"


def steps():
    return list(zip(STAGES, STAGES[1:]))


def sizes(tree):
    """For the README: how large a stage is, and the step to it."""
    rows = [["`global`", len(tree.stage("global")),
             size(tree, tree.stage("global")), "-", "-"]]
    for before, after in steps():
        step = Step(tree, before, after)
        rows.append([f"`{after}`", len(tree.stage(after)),
                     size(tree, tree.stage(after)),
                     pair(step.plus), pair(step.minus)])
    return table(["stage", "files", "lines (of code)", "new lines",
                  "gone lines"], rows)


def verdict(most, counts):
    if counts[0] <= most:
        return "reached"
    return "met in lines of code only" if counts[1] <= most else "missed"


def detail(tree):
    """For the design: which files a step changes, adds, and drops."""
    rows = []
    for before, after in steps():
        step = Step(tree, before, after)
        most, measure = AIMS[after]
        counts = measure(step)
        rows.append([f"{before} → {after}", files(step.same),
                     files(step.added), files(step.dropped), pair(step.plus),
                     pair(step.minus), pair(counts),
                     f"{most:,}: {verdict(most, counts)}"])
    return table(["step", "compare with the stage before's", "new files",
                  "gone files", "new lines (of code)", "gone lines",
                  "what counts", "of at most"], rows)


def ideas(tree):
    """For the design: what the files of the arena step are for."""
    step = Step(tree, "per_thread", "arena")
    listed = {name for names in IDEAS.values() for name in names}
    if strange := sorted(listed - set(step.added)):
        fail(f"found {', '.join(strange)} in IDEAS, but the arena step does "
             "not add it; take it out")
    rows = [[idea, files(names), size(tree, names)]
            for idea, names in IDEAS.items()]
    if rest := sorted(set(step.added) - listed):
        rows.append(["the rest", files(rest), size(tree, rest)])
    twins = step.alike()
    rows.append(["the arena's data, and which of all that the stage uses, in "
                 "place of per_thread's locks", files(step.same),
                 pair([p - m for p, m in twins])])
    rows.append(["in all", "", pair(growth(step))])
    return table(["what for", "files", "lines (of code) more"], rows)


def read_of(tree, stage):
    """The files to be read for a stage, all of which it includes."""
    there = tree.stage(stage)
    for name in READ[stage]:
        tree.text(name)
        if name not in there:
            fail(f"found {name} in READ['{stage}'], but mm/{stage}/stage.h "
                 "does not include it; take it out")
    return READ[stage] + ((FAMILY,) if stage == STAGES[0] else ())


def reading(tree):
    rows, whole = [], 0
    known = set().union(*READ.values())
    for stage in STAGES:
        there, names = tree.stage(stage), read_of(tree, stage)
        lines = [len(tree.lines(name)) for name in names]
        whole += sum(lines)
        shown = [name.removeprefix("mm/") for name in names]
        rows.append([f"`{stage}`",
                     ", ".join(f"`{n}` {k}" for n, k in zip(shown, lines)),
                     f"{sum(lines):,}", f"{whole:,}",
                     files(sorted(there - known))])
        known |= there
    return table(["stage", "read, in this order (lines)", "lines", "so far",
                  "can wait"], rows)


TABLES = {"steps": sizes, "detail": detail, "ideas": ideas,
          "reading": reading}


# ---- documents ---------------------------------------------------------------

def all_filled(text, tree):
    def block(name):
        if name not in TABLES:
            fail(f"found the mark of progression '{name}', expected one of "
                 f"{', '.join(TABLES)}")
        return TABLES[name](tree)
    return filled(text, "progression", block)


NUMBER = re.compile(r"\d[\d,]*")


def near(old, new):
    """Do the texts say the same, but for counts that are 5 % off?"""
    if NUMBER.sub("", old) != NUMBER.sub("", new):
        return False
    pairs = [[int(n.replace(",", "")) for n in both] for both in
             zip(NUMBER.findall(old), NUMBER.findall(new))]
    return all(abs(a - b) <= max(b / 20, 3) for a, b in pairs)


def main():
    arguments, tree = sys.argv[1:], Tree(ROOT)
    if arguments == ["--show"]:
        print("\n".join(make(tree) for make in TABLES.values()), end="")
        return 0
    if arguments not in ([], ["--check"]):
        sys.exit(__doc__)
    old = False
    for name in DOCUMENTS:
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = all_filled(text, tree)
        if arguments and not near(text, new):
            old = True
            print(f"progression.py: {name} is out of date: make figures")
        elif not arguments and new != text:
            print(f"progression.py: {name} is written")
            path.write_text(new, encoding="utf-8")
    return int(old)


if __name__ == "__main__":
    sys.exit(main())
