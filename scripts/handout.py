#!/usr/bin/env python3
"""handout.py - a directory for students: driver, memlib, a skeleton, traces.

    scripts/handout.sh DIR [--config course/lock.conf]

The driver is built from the lab's own sources, with the course's points in its
config.h. No stage, no design and no hidden trace is in it.
"""
import argparse
import re
import shutil
import sys
from pathlib import Path

from course_config import DEFAULT, ROOT, read_or_exit

SKELETON = ROOT / "course/lessons/2.c"
COPIED = ["mdriver.c", "memlib.c", "config.h", "arch.mk", *sorted(
    p.name for p in ROOT.glob("mem*.h"))]
DESIGNS = ["libc.c", "null.c"]      # to compare with, and for the loop's cost

ASKED = {
    "plain": "`malloc`, `free`, `realloc`, `calloc`, `memalign` for one "
             "thread. Join free neighbours, find a block that fits without "
             "looking at all, waste little on small ones.",
    "lock": "The same for threads that call at once: one lock around the "
            "heap, and `.single_threaded` gone from the table. An allocator "
            "for one thread gets its share of the points only.",
    "arenas": "A heap for each thread, so that none waits for another. A "
              "block that another thread frees must come home: the heap may "
              "not grow when one thread allocates and another frees.",
    "lockfree": "As with arenas; and without any lock there is a bonus: "
                "threads send blocks home by compare-and-swap.",
}
TASKS = {
    "plain": ["make one block of free neighbours (block_free, grow)",
              "find a block without looking at all (find)",
              "let realloc stay in place where it can (mine_realloc)"],
    "lock": ["all of part 1, if yours is not there yet: you may begin with it",
             "a lock around all that reads or writes the heap",
             "then take .single_threaded out of the table, at the end"],
    "arenas": ["all of part 2: you may begin with yours",
               "a struct heap for each thread, each with its own lock",
               "whose is a block? free must know: note it in the head"],
}
TASKS["lockfree"] = [*TASKS["arenas"],
                     "bonus: no lock at all; threads send blocks home"]


def skeleton(course):
    text = SKELETON.read_text(encoding="utf-8")
    first, rest = text.split("\n", 1)
    tasks = "\n".join(f" *   {n}. {t}"
                      for n, t in enumerate(TASKS[course.stage], 1))
    text = ("/* mm.c - an implicit list, and worth little: free "
            "blocks are used\n * again, but never merged. To do:\n *\n"
            f"{tasks}\n *\n * A block is\n{rest}")
    return text.replace("To do, in lesson 2: ", "To do: ")


def with_constants(text, course):
    values = {
        "GRADE_CORRECT_POINTS": course.correctness,
        "GRADE_UTIL_POINTS": course.utilization,
        "GRADE_PERF_POINTS": course.throughput,
        "GRADE_UTIL_NONE": course.utilization_none / 100,
        "GRADE_UTIL_FULL": course.utilization_full / 100,
        "GRADE_PERF_FULL": course.throughput_full,
        "GRADE_SINGLE_THREADED_WHOLE": 0,
    }
    for name, value in values.items():
        text, n = re.subn(rf"(#define {name}) .*", rf"\1 {value}", text)
        assert n == 1, f"config.h has {n} lines that define {name}"
    return text


def without_allocators(text, _):
    """mm.h, whose list has nothing but libc and the no-op."""
    text = re.sub(r"/\* Names of before .*\n#define MM_ALIASES.*\n", "", text)
    return re.sub(r"#define MM_ALLOCATORS\(X\)(.*\\\n)*.*\n",
                  "#define MM_ALLOCATORS(X) X(mm_libc) X(mm_null)\n"
                  "/* Yours is a file: -a ./mm.c */\n", text, count=1)


EDITED = {"config.h": with_constants, "mm.h": without_allocators}


def shared(course):
    if not course.weights:
        return "shared equally among the traces"
    weights = ", ".join(f"`{n}` {w}" for n, w in course.weights.items())
    return (f"shared among the traces by weight: {weights}, any other 1; the "
            "means of the other two are weighted alike")


def filled(text, course):
    bonus = (f"| bonus | {course.bonus} | no lock in it, right, and "
             f"{course.bonus_throughput:g} of the C library's throughput "
             f"with {course.bonus_threads} threads |\n")
    several = len(course.threads) > 1 or course.threads[0] > 1
    threads = ", ".join(map(str, course.threads))
    words = {
        "NAME": course.name, "ASKED": ASKED[course.stage],
        "THREADS": ",".join(map(str, course.threads)), "RUNS": course.runs,
        "HANG": course.hang, "LIMIT": course.limit,
        "THREADS_TEXT": f"{threads} thread{'s' if several else ''}",
        "CORRECTNESS": course.correctness, "UTILIZATION": course.utilization,
        "THROUGHPUT": course.throughput,
        "UTIL_NONE": f"{course.utilization_none:g}",
        "UTIL_FULL": f"{course.utilization_full:g}",
        "PERF_FULL": f"{course.throughput_full:g}",
        "WEIGHTS": "--weights weights" if course.weights else "",
        "SHARED": shared(course),
        "BONUS": bonus if course.bonus else "",
        "FIRST": course.public[0].name,
    }
    return re.sub(r"@([A-Z_]+)@", lambda m: str(words[m.group(1)]), text)


def with_includes(names):
    """These files, and what they include of the lab's."""
    found = []
    while names:
        name, *names = names
        if name in found or not (ROOT / name).is_file():
            continue
        found.append(name)
        text = (ROOT / name).read_text(encoding="utf-8")
        names += re.findall(r'^#include "([^"]+)"', text, re.M)
    return found


def weights_text(course, hidden=()):
    """Of the traces that do not weigh 1, as mdriver --weights reads it.

    hidden: (name, weight) of traces that the handout does not have"""
    lines = [f"{name} {weight}" for name, weight in
             [*course.weights.items(), *hidden]]
    return "\n".join(["# trace, and its weight; any other: 1", *lines, ""])


def put(path, text):
    """Write a file, or leave it as it is: make goes by its time."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def copy_driver(out):
    for name in with_includes(COPIED):
        if name not in EDITED:
            (out / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, out / name)
    shutil.copytree(ROOT / "driver", out / "driver", dirs_exist_ok=True)
    (out / "designs").mkdir(exist_ok=True)
    for name in DESIGNS:
        shutil.copy2(ROOT / "designs" / name, out / "designs" / name)
    shutil.copy2(ROOT / "Makefile", out / "driver.mk")


def make(course, out):
    """Fill the directory out with the handout of a course."""
    out.mkdir(parents=True, exist_ok=True)
    copy_driver(out)
    for name, edit in EDITED.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        put(out / name, edit(text, course))
    put(out / "mm.c", skeleton(course))
    if course.weights:
        put(out / "weights", weights_text(course))
    for name in ("Makefile", "README.md"):
        text = (ROOT / "course/handout" / name).read_text(encoding="utf-8")
        put(out / name, filled(text, course))
    (out / "traces").mkdir(exist_ok=True)
    for path in course.public:
        shutil.copy2(path, out / "traces" / path.name)


def main():
    p = argparse.ArgumentParser(
        prog="handout.sh", description="Makes a directory for students.")
    p.add_argument("dir", type=Path, metavar="DIR")
    p.add_argument("--config", "-c", type=Path, default=DEFAULT,
                   help="the course's own numbers (course/plain.conf)")
    args = p.parse_args()
    course = read_or_exit("handout.sh", args.config)
    if args.dir.exists() and (not args.dir.is_dir()
                              or any(args.dir.iterdir())):
        sys.exit(f"handout.sh: {args.dir} is there already: expected a new or "
                 "an empty directory")
    make(course, args.dir)
    print(f"{args.dir}: {course.name}; stage {course.stage}, "
          f"{len(course.public)} traces. Try it: make -C {args.dir} grade")


if __name__ == "__main__":
    main()
