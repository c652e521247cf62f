#!/usr/bin/env python3
"""e2e_docs.py - what the documents name is there, and works for a stranger.

Of a table's cell "`test_x`: one_test, another; `test_y`" in docs/allocators.md
each test must be in its file: what a document says to be shown must not be
renamed away. So must each script and program of the project that is named, and
each function of docs/map.md in its file; docs/operator.md stays two pages; and
no LD_PRELOAD is relative, as a program that changes its directory loses it.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "allocators.md"
MAP = ROOT / "docs" / "map.md"
OPERATOR = ROOT / "docs" / "operator.md"
PAGE = 4000    # characters
CITED = re.compile(r"`(test_\w+)`(?::((?: ?[a-z0-9]+(?:_[a-z0-9]+)+[,;]?)+))?")
PLACED = re.compile(r"((?:`[a-z]\w*`,\s+)*`[a-z]\w*`)(?: \| |\s+in\s+)"
                    r"`([\w/]+\.[ch])`")


def missing(text):
    """(file, test) of each citation that does not hold; and how many hold."""
    bad, count = [], 0
    for name, tests in CITED.findall(text):
        path = ROOT / "tests" / f"{name}.c"
        source = path.read_text() if path.exists() else ""
        for test in re.findall(r"\w+", tests) or ["START_TEST"]:
            held = re.search(rf"START_TEST\({test}\)", source) or (
                test == "START_TEST" and source)
            count += bool(held)
            if not held:
                bad.append((name, test))
    return bad, count


def map_of_code():
    """Without the table of what to read, which a script writes."""
    text = MAP.read_text(encoding="utf-8")
    return re.sub(r"<!-- progression.*?<!-- end", "", text, flags=re.S)


def placed(text):
    """(function, file) of each that the map of the code names: in the last two
    cells of a row, or as "`function` in `file`"; also "`one`, `two`"."""
    return [(function, name) for functions, name in PLACED.findall(text)
            for function in re.findall(r"\w+", functions)]


def misplaced(text):
    """Those that are not defined in their file; and how many are."""
    bad, count = [], 0
    for function, name in placed(text):
        path = next((p for p in (ROOT / "mm" / name, ROOT / name)
                     if p.exists()), None)
        held = path and re.search(
            rf"^(?:\w[^\n;={{]*[ *])?{function}\([^;{{]*\)\s*\{{",
            path.read_text(encoding="utf-8"), re.M)
        count += bool(held)
        if not held:
            bad.append((function, name))
    return bad, count


def adrift(text):
    """Functions that the map names without a file, anywhere."""
    known = {function for function, _ in placed(text)}
    return sorted(set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", text)) - known)


def documents():
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")),
            ROOT / "traces/README.md"]


def absent(text):
    """The scripts and tests in it that are not there."""
    named = re.findall(r"(?<![\w/.-])(?:scripts|tests|bench|teach)/[\w/-]+"
                       r"\.(?:sh|py|c|h|mk|awk)\b", text)
    return [name for name in named if not (ROOT / name).exists()]


def relative(text):
    return re.findall(r"LD_PRELOAD=(?:\./|\.\./|libmm|build/)\S*", text)


def in_all(find):
    """What find finds in each document, with its name."""
    return [(path.name, what) for path in documents()
            for what in find(path.read_text(encoding="utf-8"))]


CHECKS = [
    ("every test that allocators.md cites exists",
     lambda: missing(DOCUMENT.read_text())[0] == []),
    ("it cites at least 20 of them",
     lambda: missing(DOCUMENT.read_text())[1] >= 20),
    ("every script that a document names exists",
     lambda: in_all(absent) == []),
    ("no LD_PRELOAD in a document is relative",
     lambda: in_all(relative) == []),
    ("a script that is not there and a relative LD_PRELOAD are found",
     lambda: absent("run scripts/nothing.sh") == ["scripts/nothing.sh"]
     and relative("LD_PRELOAD=./libmm.so x") == ["LD_PRELOAD=./libmm.so"]),
    ("every function on the map of the code is in its file",
     lambda: misplaced(map_of_code())[0] == []
     and adrift(map_of_code()) == []),
    ("it names at least 40 of them",
     lambda: misplaced(map_of_code())[1] >= 40),
    ("a function that was renamed, or moved, or has no file is found",
     lambda: misplaced("| x | `no_such` | `front/front.h` |\n"
                       "`refill` in `engine/heap.h`, `refill` in "
                       "`front/slow.h`, `send` in `gone.h`")
     == ([("no_such", "front/front.h"), ("refill", "engine/heap.h"),
          ("send", "gone.h")], 1)
     and adrift("`mm_free` in `mm.c` calls `stage_free`")
     == ["stage_free"]),
    ("so is each of several that share a file, in a row and in a sentence",
     lambda: misplaced("| x | `no_such`, `drain` | `front/slow.h` |\n"
                       "`drain`,\n`nor_this` in `front/slow.h`")
     == ([("no_such", "front/slow.h"), ("nor_this", "front/slow.h")], 2)),
    ("a call or a declaration is no definition",
     lambda: misplaced("`block_size` in `engine/heap.h`, `shard_exit` "
                       "in `front/front.h`")[1] == 0),
    ("docs/operator.md is no longer than two pages",
     lambda: PAGE < len(OPERATOR.read_text(encoding="utf-8")) <= 2 * PAGE),
    ("a citation of no test is found",
     lambda: missing("`test_arena`: there_is_no_such_test")
     == ([("test_arena", "there_is_no_such_test")], 0)),
    ("a citation of no file is found",
     lambda: missing("`test_nothing`") == ([("test_nothing",
                                             "START_TEST")], 0))]


def main():
    failed = False
    for name, check in CHECKS:
        good = check()
        failed |= not good
        print(f"ok - {name}" if good else
              f"not ok - {name}: {missing(DOCUMENT.read_text())} "
              f"{in_all(absent)} {in_all(relative)} "
              f"{misplaced(map_of_code())[0]} {adrift(map_of_code())}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
