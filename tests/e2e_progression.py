#!/usr/bin/env python3
"""e2e_progression.py - scripts/progression.py: the tables of README.md and
docs/ are those of the committed files, and a file that grows is seen."""
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tap import run

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(tempfile.mkdtemp())


def progression(here, *arguments):
    done = subprocess.run([here / "scripts/progression.py", *arguments],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    return done.returncode, done.stdout


def project(name):
    here = SCRATCH / name
    for folder in ("mm", "docs"):
        shutil.copytree(ROOT / folder, here / folder)
    (here / "scripts").mkdir()
    shutil.copy(ROOT / "scripts/progression.py", here / "scripts")
    shutil.copy(ROOT / "README.md", here)
    return here


def the_committed_documents_have_the_committed_counts():
    code, said = progression(ROOT, "--check")
    assert code == 0, said


def what_is_more_than_a_few_lines_is_seen_and_written():
    here = project("more")
    assert progression(here)[0] == 0
    with open(here / "mm/lockfree/steal.h", "a", encoding="utf-8") as file:
        file.write("/* one more */\n")
    assert progression(here, "--check")[0] == 0
    with open(here / "mm/lockfree/steal.h", "a", encoding="utf-8") as file:
        file.write("/* one more */\n" * 999)
    code, said = progression(here, "--check")
    assert code == 1 and "README.md is out of date: make figures" in said, said
    before = (here / "README.md").read_text().split("`lockfree` | ")[1]
    assert progression(here)[0] == 0
    after = (here / "README.md").read_text().split("`lockfree` | ")[1]
    assert [int(after.split(" | ")[i]) - int(before.split(" | ")[i])
            for i in (0, 1)] == [0, 1000], (before, after)
    assert progression(here, "--check")[0] == 0


def each_rung_stays_as_near_to_the_last_as_it_was_meant():
    shown = progression(ROOT, "--show")[1]
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]]
            for line in shown.split("\n\n")[0].splitlines()]
    own = {row[0]: int(row[6]) for row in rows[2:]}
    assert own["per_thread"] - own["global"] <= 250, own
    assert int(rows[-1][7]) <= 1100, rows[-1]


def a_file_that_is_read_but_not_included_is_named():
    here = project("gone")
    path = here / "mm/lockfree/thread.h"
    path.write_text(path.read_text().replace(
        '#include "mm/lockfree/steal.h"\n', ""))
    code, said = progression(here)
    assert code == 1 and "found mm/lockfree/" in said, said


def a_mark_of_nothing_is_named():
    here = project("mark")
    with open(here / "README.md", "a", encoding="utf-8") as file:
        file.write("<!-- progression: nope -->\n<!-- end of progression -->\n")
    code, said = progression(here)
    assert code == 1 and "found the mark of 'nope'" in said, said


TESTS = [the_committed_documents_have_the_committed_counts,
         what_is_more_than_a_few_lines_is_seen_and_written,
         each_rung_stays_as_near_to_the_last_as_it_was_meant,
         a_file_that_is_read_but_not_included_is_named,
         a_mark_of_nothing_is_named]


if __name__ == "__main__":
    try:
        sys.exit(run(TESTS))
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
