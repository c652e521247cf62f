#!/usr/bin/env python3
"""course_submissions.py - a class to grade: good ones, broken ones, cheats.

    tests/course_submissions.py DIR    writes NAME.c, one for each of NAMES

The broken ones and the cheats are those of tests/faulty, each as a file of its
own: its headers are written into it, and its table is called mm_mine.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOOD = {"implicit": "course/lessons/2.c", "merging": "course/lessons/3.c",
        "lists": "course/lessons/4.c", "locked": "course/lessons/6.c",
        "arenas": "course/solutions/6.c"}
INCLUDE = re.compile(r'^#include "(tests/faulty/[^"]+)"\n', re.M)


def inlined(path, seen):
    """A file's text, with what it includes of tests/faulty in it, once."""
    def text_of(match):
        name = match.group(1)
        if name in seen:
            return ""
        seen.add(name)
        return inlined(ROOT / name, seen)
    return INCLUDE.sub(text_of, path.read_text(encoding="utf-8"))


def tables():
    """{table: file} of tests/faulty/list.h."""
    listed = re.findall(r"X\(((?:faulty|cheat)_\w+)\)",
                        (ROOT / "tests/faulty/list.h").read_text())
    files = sorted((ROOT / "tests/faulty").glob("*.c"))
    found = {}
    for table in listed:
        for path in files:
            if re.search(rf"\b{table}\b", path.read_text()):
                found[table] = path
                break
    return found


def write(directory):
    for name, path in GOOD.items():
        (directory / f"{name}.c").write_text((ROOT / path).read_text())
    for table, path in tables().items():
        name = table.replace("_", "-").replace("faulty-", "broken-")
        (directory / f"{name}.c").write_text(
            f"#define {table} mm_mine\n" + inlined(path, set()))


if __name__ == "__main__":
    write(Path(sys.argv[1]))
