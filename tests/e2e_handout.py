#!/usr/bin/env python3
"""e2e_handout.py - a teacher makes a handout, and grades a class: good ones,
broken ones, cheats, copies. The table is right."""
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
import course_submissions  # noqa: E402
import tap  # noqa: E402

DIR = Path(tempfile.mkdtemp())
CONFIG, HANDOUT, CLASS = DIR / "class.conf", DIR / "handout", DIR / "class"
TABLE, WORK = DIR / "grades.csv", DIR / "grades.work"

# Faults are planted at requests of 777 bytes, and show where these are used.
OPS = ["a 0 5000", "a 1 5000", "a 2 777", "f 2", "c 3 7 111", "a 4 100",
       "r 4 200", "r 4 777", "m 5 4096 777", "f 0", "f 1", "f 3", "f 4", "f 5",
       *(f"a {n} 400" for n in range(6, 306)),
       *(f"r {n} 900" for n in range(6, 306)),
       *(f"f {n}" for n in range(6, 306))]
TEXT = """[course]
name = A class
stage = lock
threads = 1 2
runs = 2
hang = 60
limit = 2
[points]
correctness = 30
utilization = 50
throughput = 20
[traces]
public = own.trace
weights = own:2
[hidden]
families = binary struct
weights = struct:3
ops = 400
seed = 4711
"""
GOOD = ["implicit", "lists", "locked", "arenas", "example", "broken-good"]
FAULTY = ["broken-null", "broken-misaligned", "broken-outside",
          "broken-overlap", "broken-dirty-calloc", "broken-realloc-loses",
          "broken-usable-small", "broken-crash", "broken-quits"]
# Every cheat of docs/trust.md: the status that it gets, and what is said of it.
OUTSIDE = ("outside", "not inside the allocator's heap")
CALL = ("crash", "SIGSYS: it made a system call")
CHEATS = {
    "cheat-libc": OUTSIDE, "cheat-libc-malloc": OUTSIDE,
    "cheat-dlsym": OUTSIDE, "cheat-mmap": OUTSIDE,
    "cheat-unmap": ("outside", "memory that mem_map did not give"),
    "cheat-one-block": (None, "in a replay that is not checked|resident"),
    "cheat-unasked": ("heap", "blocks lie elsewhere in a replay"),
    "cheat-prints": (None, "wrote to the driver's socket|SIGXFSZ"),
    "cheat-exits": ("crash", "the process ended itself, exit status 0"),
    "cheat-exits-in-init": ("crash", "in init.*exit status 0"),
    "cheat-closes": ("crash", "SIGKILL|ended"),
    "cheat-sleeps": ("slow", "is too slow"),
    "cheat-table": (None, "hidden-0[12]"),
    "cheat-kills": CALL, "cheat-opens": CALL, "cheat-forks": CALL,
    "cheat-traces": CALL, "cheat-results": CALL, "cheat-threads": CALL,
}
# What may not be done is refused by seccomp, where there is one.
if "Seccomp" not in Path("/proc/self/status").read_text():
    CHEATS = {n: c for n, c in CHEATS.items() if c is not CALL}
# Cheats in vain: they get what they are without.
IN_VAIN = {"cheat-stats": "broken-good", "cheat-at-exit": "example",
           "cheat-prints-only": "example"}
FORBIDDEN = ("mm/engine", "mm/lockfree", "course", "designs/buddy.c", "scripts")


def script(name, *args, status=0):
    done = subprocess.run([str(ROOT / "scripts" / name), *map(str, args)],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}"
    return done.stdout


def prepare():
    (DIR / "own.trace").write_text("\n".join(
        ["mmtrace 1", "ids 306", f"ops {len(OPS)}", *OPS]) + "\n")
    CONFIG.write_text(TEXT)
    CLASS.mkdir()
    everyone = DIR / "everyone"
    everyone.mkdir()
    course_submissions.write(everyone, OPS)
    for name in [*GOOD, "broken-single", *FAULTY, *CHEATS, *IN_VAIN]:
        shutil.copy(everyone / f"{name}.c", CLASS)
    (CLASS / "no-c.c").write_text("int x = ;\n")
    (CLASS / "empty").mkdir()
    (CLASS / "copy").mkdir()
    text = (everyone / "broken-good.c").read_text()
    (CLASS / "copy/mm.c").write_text(
        "/* all my own work */\n" + text.replace("base_carve", "my_carve"))


def a_handout_has_what_a_student_needs_and_no_more():
    script("handout.sh", HANDOUT, "--config", CONFIG)
    names = {str(p.relative_to(HANDOUT)) for p in HANDOUT.rglob("*")}
    for name in ("mm.c", "mm.h", "Makefile", "README.md", "traces/own.trace"):
        assert name in names, name
    for name in FORBIDDEN:
        assert not any(n.startswith(name) for n in names), name
    readme = (HANDOUT / "README.md").read_text()
    assert "@" not in readme and "30" in readme and len(readme) < 4000
    assert "`own` 2, any other 1" in readme, readme
    assert (HANDOUT / "weights").read_text().endswith("\nown 2\n")
    assert "4711" not in "".join(
        p.read_text(errors="replace") for p in HANDOUT.iterdir()
        if p.is_file()), "the seed is in the handout"
    script("handout.sh", HANDOUT, "--config", CONFIG, status=1)


def it_builds_and_its_skeleton_is_graded_by_the_courses_points():
    environment = {k: v for k, v in os.environ.items() if k != "MAKEFLAGS"}
    done = subprocess.run(["make", "-C", str(HANDOUT), "grade"], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**environment, "MAKELEVEL": "0"})
    assert done.returncode == 0, done.stdout[-2000:]
    # It is for one thread, and two are asked for, too: half of the points.
    assert "valid=1/1 correctness=15.00/30 " in done.stdout, done.stdout


def a_class_is_graded():
    shutil.copytree(HANDOUT, WORK / "lab", symlinks=True)   # built already
    script("grade_all.sh", CLASS, "-o", TABLE, "--config", CONFIG)
    with open(TABLE, newline="") as f:
        rows = {row["submission"]: row for row in csv.DictReader(f)}
    assert len(rows) == len(list(CLASS.iterdir()))
    for name in GOOD:
        row, half = rows[name], name in ("implicit", "lists")
        assert row["status"] == "ok", row
        assert float(row["correctness"]) == (15 if half else 30), row
        assert float(row["total"]) > float(row["correctness"]), row
    for name in [*FAULTY, *CHEATS]:
        row = rows[name]
        status, words = CHEATS.get(name, (None, ""))
        assert row["status"] not in ("ok", "no result"), row
        assert row["status"] == status or not status, row
        assert re.search(words, row["first_fault"]), row
        assert float(row["utilization"]) == float(row["throughput"]) == 0, row
        assert row["first_fault"].startswith(f"FAULT {name}: "), row
    for name, honest in IN_VAIN.items():
        row, own = rows[name], float(rows[honest]["utilization"])
        assert row["status"] == "ok" and row["correctness"] == "30.00", row
        assert abs(float(row["utilization"]) - own) < 3, (row, own)
    # A table of the known trace is right there, and on no hidden one.
    assert float(rows["cheat-table"]["correctness"]) == 15 * 2 / 6, rows
    # Faults are planted in own.trace, 2 of the weights' 6; by two threads it
    # is replayed beside the first hidden one, which weighs 1.
    correctness = float(rows["broken-misaligned"]["correctness"])
    assert correctness == 15 * 4 / 6 + 15 * 3 / 6 == 17.5, correctness
    assert rows["broken-misaligned"]["status"] == "align"
    assert rows["no-c"]["status"] == "does not compile"
    assert rows["empty"]["status"] == "nothing handed in"
    assert rows["no-c"]["total"] == rows["empty"]["total"] == "0.00"


def copies_are_listed():
    with open(TABLE, newline="") as f:
        rows = {row["submission"]: row for row in csv.DictReader(f)}
    assert "broken-good 100%" in rows["copy"]["similar_to"], rows["copy"]
    assert "implicit" not in rows["broken-good"]["similar_to"]


def feedback_says_what_was_wrong_and_nothing_of_hidden_traces():
    text = (WORK / "feedback/broken-overlap.md").read_text()
    for words in ("own.trace:6", "overlaps live block", "The heap at the fault",
                  "What to try next", "share bytes"):
        assert words in text, f"{words}: {text}"
    assert (WORK / "feedback/broken-overlap.html").stat().st_size > 10000
    for path in (WORK / "feedback").glob("*.md"):
        assert "hidden-01.trace" not in path.read_text(), path
    scores = json.loads((WORK / "autolab/locked.json").read_text())["scores"]
    assert scores["correctness"] == 30
    form = json.loads((WORK / "gradescope/locked/results.json").read_text())
    assert form["score"] > 30 and len(form["tests"]) == 3


def it_goes_on_where_it_was_stopped():
    kept = {p.name: p.stat().st_mtime_ns
            for p in (WORK / "results").glob("*.json")}
    (WORK / "results/locked.json").unlink()
    with open(CLASS / "no-c.c", "a") as f:
        f.write("int y = ;\n")
    script("grade_all.sh", CLASS, "-o", TABLE, "--config", CONFIG,
           "--no-pictures")
    changed = {p.name for p in (WORK / "results").glob("*.json")
               if kept[p.name] != p.stat().st_mtime_ns}
    assert changed == {"locked.json", "no-c.json"}, changed


def what_is_wrong_in_a_config_is_said():
    for line, words in (("stage = heap", "expected one of plain, lock"),
                        ("threads = none", "expected numbers from 1 to 256"),
                        ("staeg = lock", "is it misspelt?"),
                        ("[traces]\nweights = gen-none:2", "of its names: gen"),
                        ("[traces]\nweights = gen-binary:x", "from 0 to 1000"),
                        ("[hidden]\nfamilies = binary\nweights = binary:0",
                         "expected one above 0")):
        CONFIG.write_text(f"[course]\n{line}\n")
        said = script("handout.sh", DIR / "other", "--config", CONFIG, status=1)
        assert words in said and "class.conf" in said, said
    said = script("grade_all.sh", DIR / "nobody", "-o", TABLE, status=1)
    assert "expected a directory of submissions" in said, said


def every_config_of_the_project_makes_a_handout():
    for path in sorted((ROOT / "course").glob("*.conf")):
        script("handout.sh", DIR / path.stem, "--config", path)


TESTS = [a_handout_has_what_a_student_needs_and_no_more,
         it_builds_and_its_skeleton_is_graded_by_the_courses_points,
         a_class_is_graded, copies_are_listed,
         feedback_says_what_was_wrong_and_nothing_of_hidden_traces,
         it_goes_on_where_it_was_stopped, what_is_wrong_in_a_config_is_said,
         every_config_of_the_project_makes_a_handout]

if __name__ == "__main__":
    try:
        prepare()
        sys.exit(tap.run(TESTS))
    finally:
        shutil.rmtree(DIR, ignore_errors=True)
