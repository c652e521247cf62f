#!/usr/bin/env python3
"""check_layers.py - keeps the architecture: who includes whom, who asks the
kernel for memory, and how long a file may grow.

    scripts/check_layers.py [ROOT]   one line per violation, exit status 1

A file may include what is in a lower layer, and headers of its own layer
where the layer is a room (`peers`). A new file of the engine must be put in
its layer here; that is a decision, so the script does not guess.
"""
import fnmatch
import re
import sys
from collections import namedtuple
from pathlib import Path

Layer = namedtuple("Layer", "patterns peers sees")


def layer(*patterns, peers=False, sees=None):
    """sees: the only lower files it may include (None: all of them)."""
    return Layer(patterns, peers, sees)


# From the bottom up.
LAYERS = [
    layer("config.h"),
    layer("mm.h"),
    layer("mm/util.h", "memlib.h", "mm/count.h"),
    layer("mempart.h"),
    layer("memlib.c", "mm/block.h"),
    layer("mm/sizeclass.h", "mm/pagemap.h"),
    layer("mm/lflist.h", "mm/outbox.h"),
    layer("mm/fit.h"),
    layer("mm/seglist.h", "mm/fit_*.h"),
    layer("mm/heap.h"),
    layer("mm/run.h"),
    layer("mm/arena.h", "mm/check.h"),
    layer("mm/cache.h", "mm/merge.h", "mm/lock.h", "mm/waste.h",
          "mm/tell.h"),
    layer("mm/seat.h"),
    layer("mm/shard.h", "mm/lfshard.h"),
    layer("mm/lfsteal.h"),
    layer("mm/home.h", "mm/shardcheck.h"),
    layer("mm/thread.h", "mm/lfthread.h", "mm/lfcheck.h"),
    layer("mm/lftell.h"),
    layer("mm/stage_[!f]*.h"),
    layer("mm/stage_fit.h"),
    layer("designs/*.h", peers=True),
    layer("mm.c", "designs/*.c"),
    layer("preload.c"),
    layer("bench/*", peers=True, sees=[]),    # programs that know no lab
    layer("record.c", "record/*", peers=True, sees=["config.h"]),
    layer("driver/*", "mdriver.c", peers=True,
          sees=["config.h", "mm.h", "memlib.h"]),
    layer("teach/*", peers=True, sees=[]),
    layer("tests/*", peers=True),
]

# Only memlib.c gives allocators memory; the driver's own never comes from one.
ALLOCATOR = ["mm.c", "mm/*", "designs/*", "preload.c"]
MEMORY_CALL = re.compile(
    r"#\s*include\s*<sys/mman\.h>"
    r"|\b(mmap|mmap64|munmap|mremap|mprotect|madvise|brk|sbrk)\s*\(")

# First match counts. Lines, comments included.
LENGTHS = [
    ("mm/stage_*.h", 350),
    ("mm.c", 450), ("mm/*", 450), ("memlib.c", 450), ("designs/*", 450),
    ("*", 300),
]

INCLUDE = re.compile(r'^\s*#\s*include\s*"([^"]+)"')
SOURCES = ["*.c", "*.h", "mm/*.h", "mm/*.c", "designs/*.[ch]",
           "driver/*.[ch]", "record/*.[ch]", "bench/*.[ch]", "teach/*",
           "tests/**/*.[ch]", "Makefile",
           "*.mk", "tests/**/*.mk", "tests/**/*.sh", "tests/**/*.py",
           "scripts/*"]


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, p) for p in patterns)


def layer_of(name):
    for level, its in enumerate(LAYERS):
        if matches(name, its.patterns):
            return level
    return None


def without_comments(text):
    """Comments blanked, strings and line numbers kept."""
    def blank(found):
        token = found.group()
        return token if token[0] == '"' else re.sub(r"[^\n]", " ", token)
    return re.sub(r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*', blank, text,
                  flags=re.S)


def target_of(root, name, written):
    """The project file that an include means, or None: a system header."""
    for base in (root / Path(name).parent, root):
        path = base / written
        if path.is_file():
            return path.resolve().relative_to(root.resolve()).as_posix()
    return None


def include_fault(name, target):
    """What is wrong with name including target, or None."""
    mine, its = layer_of(name), layer_of(target)
    for file, level in ((name, mine), (target, its)):
        if level is None:
            return (f"{file} is in no layer: "
                    "put it into LAYERS in scripts/check_layers.py")
    if its > mine:
        return f"includes {target}, which is above it"
    if its == mine and not LAYERS[mine].peers:
        return f"includes {target}, which is beside it, not below"
    sees = LAYERS[mine].sees
    if its < mine and sees is not None and target not in sees:
        return f"includes {target}, but sees only {', '.join(sees)}"
    return None


def check_file(root, name):
    text = (root / name).read_text(encoding="utf-8", errors="replace")
    lines = without_comments(text).split("\n")
    if name.endswith((".c", ".h")):
        if layer_of(name) is None:
            yield 1, "is in no layer: put it into LAYERS in " \
                     "scripts/check_layers.py"
            return
        for number, line in enumerate(lines, 1):
            found = INCLUDE.match(line)
            target = found and target_of(root, name, found.group(1))
            fault = target and include_fault(name, target)
            if fault:
                yield number, fault
            if matches(name, ALLOCATOR) and MEMORY_CALL.search(line):
                yield number, (f"'{line.strip()}': memory system calls "
                               "belong to memlib.c alone; see memlib.h")
    count = text.count("\n")
    limit = next(n for p, n in LENGTHS if fnmatch.fnmatch(name, p))
    if count > limit:
        yield count, f"{count} lines; the limit is {limit}: split it"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).resolve().parent.parent)
    names = sorted({p.relative_to(root).as_posix()
                    for pattern in SOURCES for p in root.glob(pattern)
                    if p.is_file()})
    bad = 0
    for name in names:
        for line, what in check_file(root, name):
            print(f"{name}:{line}: {what}")
            bad += 1
    print(f"layers: {len(names)} files, "
          + (f"{bad} violations" if bad else "all in order"))
    return 1 if bad or not names else 0


if __name__ == "__main__":
    sys.exit(main())
