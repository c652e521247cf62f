#!/usr/bin/env python3
"""e2e_progression.py - scripts/progression.py: the tables of README.md and
docs/ are those of the committed files, and a file that grows is seen."""
import re
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
    for name in ("progression.py", "marks.py"):
        shutil.copy(ROOT / "scripts" / name, here / "scripts")
    for name in ("README.md", "mm.c"):
        shutil.copy(ROOT / name, here)
    return here


def without_include(name, file, included):
    """What it says of a project in which file does not include that one."""
    here = project(name)
    path = here / file
    path.write_text(path.read_text().replace(f'#include "{included}"\n', ""))
    return progression(here)


def the_committed_documents_have_the_committed_counts():
    code, said = progression(ROOT, "--check")
    assert code == 0, said


def row(text, first):
    """The cells of the table's row that begins with first."""
    line = next(x for x in text.splitlines() if x.startswith(f"| {first} |"))
    return [cell.strip() for cell in line.split("|")[1:-1]]


def numbers(cell):
    return [int(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*", cell)]


def what_is_more_than_a_few_lines_is_seen_and_written():
    here = project("more")
    assert progression(here)[0] == 0
    before = row((here / "README.md").read_text(), "`lockfree`")
    with open(here / "mm/lockfree/steal.h", "a", encoding="utf-8") as file:
        file.write("/* one more */\n")
    assert progression(here, "--check") == (0, "")
    with open(here / "mm/lockfree/steal.h", "a", encoding="utf-8") as file:
        file.write("/* one more, of\n * two */\n" * 300 + "int x;\n" * 400)
    code, said = progression(here, "--check")
    assert code == 1 and "README.md is out of date: make figures" in said, said
    assert progression(here)[0] == 0
    after = row((here / "README.md").read_text(), "`lockfree`")
    for i in (2, 3):
        more = [n - m for n, m in zip(numbers(after[i]), numbers(before[i]))]
        assert more == [1001, 400], (before, after)
    assert after[1] == before[1] and after[4] == before[4], (before, after)
    assert progression(here, "--check") == (0, "")


def files_of_one_name_are_compared_and_others_counted_whole():
    here = project("step")

    def write(stage, text):
        path = here / f"mm/{stage}/remote.h"
        path.write_text('#include "mm/front/adopt.h"\n'
                        f'#include "mm/{stage}/registry.h"\n' + text)
    write("arena", "int a;\nint b;\n/* c */\n")
    write("lockfree", "int a;\nint c;\nint d;\n/* c */\n")
    before = row(progression(here, "--show")[1], "arena → lockfree")
    for stage in ("arena", "lockfree"):
        write(stage, "int a;\n")
    after = row(progression(here, "--show")[1], "arena → lockfree")
    assert [m - n for m, n in zip(numbers(before[4]), numbers(after[4]))] == \
        [2, 2], (before, after)
    assert [m - n for m, n in zip(numbers(before[5]), numbers(after[5]))] == \
        [1, 1], (before, after)
    assert "`lockfree/stack.h`" in after[2] and "remote" not in after[2], after
    assert "`lockfree/remote.h`" in after[1] and "`lock.h`" in after[3], after


def a_new_file_is_seen():
    here = project("new")
    assert progression(here)[0] == 0
    (here / "mm/front/new.h").write_text("/* new.h - nothing */\n")
    path = here / "mm/front/outbox.h"
    path.write_text(path.read_text() + '#include "mm/front/new.h"\n')
    code, said = progression(here, "--check")
    assert code == 1 and "docs/map.md is out of date: make figures" in said
    assert progression(here)[0] == 0
    assert "`front/new.h`" in row((here / "docs/map.md").read_text(),
                                  "`arena`")[4]
    assert "`front/new.h`" in row((here / "docs/design.md").read_text(),
                                  "the rest")[1]


def the_ideas_of_the_arena_step_sum_up():
    shown = progression(ROOT, "--show")[1]
    rows = shown[shown.index("| what for |"):].splitlines()[2:]
    rows = rows[:1 + next(i for i, r in enumerate(rows) if "in all" in r)]
    counts = [numbers(r.split("|")[3]) for r in rows]
    assert len(rows) >= 7, rows
    for i in (0, 1):
        assert sum(c[i] for c in counts[:-1]) == counts[-1][i], rows
    assert counts[-1] == numbers(row(shown, "per_thread → arena")[6])


def an_idea_of_a_file_that_went_is_named():
    code, said = without_include("idea", "mm/arena/shard.h",
                                 "mm/front/low_water.h")
    assert code == 1 and "found mm/front/low_water.h in IDEAS" in said, said


def a_file_that_went_is_named():
    here = project("went")
    (here / "mm/front/rich.h").rename(here / "mm/front/poor.h")
    code, said = progression(here, "--check")
    assert code == 1 and "found no mm/front/rich.h, which mm/" in said, said


def the_rungs_stay_as_near_as_they_are():
    shown = progression(ROOT, "--show")[1]
    for step in ("global → per_thread", "per_thread → arena",
                 "arena → lockfree"):
        cells = row(shown, step)
        assert numbers(cells[6])[1] <= numbers(cells[7])[0], cells


def a_file_that_is_read_but_not_included_is_named():
    code, said = without_include("gone", "mm/lockfree/thread.h",
                                 "mm/lockfree/steal.h")
    assert code == 1 and "found mm/lockfree/" in said, said


def a_mark_of_nothing_is_named():
    here = project("mark")
    with open(here / "README.md", "a", encoding="utf-8") as file:
        file.write("<!-- progression: nope -->\n<!-- end of progression -->\n")
    code, said = progression(here)
    assert code == 1 and "found the mark of progression 'nope'" in said, said


TESTS = [the_committed_documents_have_the_committed_counts,
         what_is_more_than_a_few_lines_is_seen_and_written,
         files_of_one_name_are_compared_and_others_counted_whole,
         a_new_file_is_seen,
         the_ideas_of_the_arena_step_sum_up,
         an_idea_of_a_file_that_went_is_named,
         a_file_that_went_is_named, the_rungs_stay_as_near_as_they_are,
         a_file_that_is_read_but_not_included_is_named,
         a_mark_of_nothing_is_named]


if __name__ == "__main__":
    try:
        sys.exit(run(TESTS))
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)
