#!/usr/bin/env python3
"""e2e_docs.py - the tests that docs/allocators.md names are there.

Of a table's cell "`test_x`: one_test, another; `test_y`" each test must be in
its file: what a document says to be shown must not be renamed away.
"""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "allocators.md"
CITED = re.compile(r"`(test_\w+)`(?::((?: ?[a-z0-9]+(?:_[a-z0-9]+)+[,;]?)+))?")


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


def main():
    checks = [
        ("every test that allocators.md cites exists",
         lambda: missing(DOCUMENT.read_text())[0] == []),
        ("it cites at least 20 of them",
         lambda: missing(DOCUMENT.read_text())[1] >= 20),
        ("a citation of no test is found",
         lambda: missing("`test_arena`: there_is_no_such_test")
         == ([("test_arena", "there_is_no_such_test")], 0)),
        ("a citation of no file is found",
         lambda: missing("`test_nothing`") == ([("test_nothing",
                                                 "START_TEST")], 0))]
    failed = False
    for name, check in checks:
        good = check()
        failed |= not good
        print(f"ok - {name}" if good else
              f"not ok - {name}: {missing(DOCUMENT.read_text())}")
    return failed


if __name__ == "__main__":
    sys.exit(main())
