#!/usr/bin/env python3
"""grade_all.py - grades a directory of submissions into a CSV file.

    scripts/grade_all.sh SUBMISSIONS -o grades.csv [--config course/lock.conf]

SUBMISSIONS holds files NAME.c (or NAME.so), or a directory NAME for each with
mm.c, or one C file, in it. First all are checked, several at once; then those
that are right are timed, one at a time, since what runs beside would be timed
too. Beside grades.csv, grades.work/ holds feedback/NAME.md, autolab/NAME.json
and gradescope/NAME/results.json, and what a call that was interrupted has done:
the next one goes on there. A submission that has changed is graded again.
"""
import argparse
import csv
import hashlib
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grade_feedback
import grade_run
import grade_similar
import handout
from course_config import DEFAULT, ROOT, read_or_exit

MEMORY_EACH = 2 << 30       # bytes that a check may need, the driver's included
COLUMNS = ("submission total max correctness utilization throughput bonus "
           "valid replays utilization_figures throughput_figures status "
           "isolated similar_to first_fault file").split()


def stop(text):
    sys.exit(f"grade_all.sh: {text}")


def say(text):
    print(time.strftime("%H:%M:%S ") + text, flush=True)


# ---- what there is to grade ---------------------------------------------

def code_of(directory):
    """The one file that a student's directory hands in, or a line that says
    why there is none."""
    files = sorted(p for p in directory.rglob("*.c") if p.is_file())
    named = [p for p in files if p.name == "mm.c"] or files
    if len(named) == 1:
        return named[0]
    return (f"{directory}: expected mm.c or one C file, found "
            + (", ".join(p.name for p in named[:5]) or "none"))


def submissions(top):
    """{name: path or what is wrong}, in order."""
    if not top.is_dir():
        stop(f"{top}: expected a directory of submissions")
    found = {}
    for path in sorted(top.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            found[path.name] = code_of(path)
        elif path.suffix in (".c", ".so"):
            name = path.stem if path.stem not in found else path.name
            found[name] = path
    if not found:
        stop(f"{top}: expected NAME.c or NAME/mm.c, found neither")
    return found


# ---- what it is graded by ------------------------------------------------

def make_lab(course, work):
    """The students' own driver, built from this lab's sources."""
    lab = work / "lab"
    say(f"building the driver in {lab}")
    handout.make(course, lab)
    done = subprocess.run(["make", "-C", str(lab)], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True,
                          errors="replace")
    if done.returncode:
        stop(f"make in {lab} fails:\n{done.stdout[-3000:]}")
    return lab


def make_hidden(course, work):
    """The hidden traces, under names that say nothing."""
    if not course.families:
        return []
    made = work / f"hidden-{course.seed}-{course.ops or 'own'}"
    command = [sys.executable, str(ROOT / "scripts/gen_traces.py"), "--vary",
               "--plain", "--seed", str(course.seed), "--out", str(made)]
    if course.ops:
        command += ["--ops", str(course.ops)]
    for family in course.families:
        command += ["--only", family]
    done = subprocess.run(command, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode:
        stop(f"{course.path}: [hidden]: {done.stderr.strip()}")
    renamed = []
    for n, family in enumerate(course.families, 1):
        path = made / f"hidden-{n:02}.trace"
        (made / f"gen-{family}.trace").replace(path)
        path.chmod(0o600)   # a submission's compiler reads as nobody
        renamed.append(path.resolve())
    return renamed


class Grader:
    """One course's driver and traces, and where results are kept."""

    def __init__(self, course, work, pictures):
        self.course, self.work, self.pictures = course, work, pictures
        for name in ("results", "feedback", "autolab", "gradescope"):
            (work / name).mkdir(parents=True, exist_ok=True)
        self.lab = make_lab(course, work)
        self.hidden = make_hidden(course, work)
        self.public = sorted(Path("traces") / p.name for p in course.public)
        self.traces = [*self.public, *self.hidden]
        self.weights = work.resolve() / "weights"
        self.weights.write_text(handout.weights_text(course, [
            (p.stem, course.hidden_weights.get(family, "1"))
            for p, family in zip(self.hidden, course.families)]))
        self.max = course.correctness + course.utilization + course.throughput
        self.basis = hashlib.sha256(repr(course).encode()
                                    + (self.lab / "mdriver").read_bytes())
        self.basis.update(Path(grade_run.__file__).read_bytes())
        for path in [*course.public, *self.hidden]:
            self.basis.update(path.read_bytes())

    def key(self, path):
        """What a result depends on: if it is the same, so is the result."""
        key = self.basis.copy()
        key.update(path.read_bytes() if isinstance(path, Path)
                   else path.encode())
        return key.hexdigest()

    def result_path(self, name):
        return self.work / "results" / f"{name}.json"

    def kept(self, name, path):
        """What an earlier call found, or None."""
        try:
            result = json.loads(self.result_path(name).read_text())
        except (OSError, ValueError):
            return None
        return result if result.get("key") == self.key(path) else None

    def keep(self, name, result):
        part = self.result_path(name).with_suffix(".part")
        part.write_text(json.dumps(result, indent=1))
        part.replace(self.result_path(name))

    def check(self, name, path):
        """First: is it right? One timed run, that does not count."""
        result = self.kept(name, path)
        if result:
            return result
        if isinstance(path, str):
            result = grade_run.nothing("nothing handed in", path)
        else:
            result = grade_run.grade(self.lab, path.resolve(), self.traces,
                                     self.course, self.course.threads, 1,
                                     self.weights)
        result.update(key=self.key(path), done=result["status"] != "ok")
        self.finish(result, path)
        self.keep(name, result)
        return result

    def time(self, name, path, result):
        """Then, alone on the machine: how fast is it?"""
        if result["done"]:
            return result
        timed = grade_run.grade(self.lab, path.resolve(), self.traces,
                                self.course, self.course.threads,
                                self.course.runs, self.weights)
        timed.update(key=result["key"], done=True)
        self.finish(timed, path)
        self.keep(name, timed)
        return timed

    def finish(self, result, path):
        result["hidden"] = [p.stem for p in self.hidden]
        result["bonus"], result["bonus_why"] = self.bonus(result, path)
        result["total"] = sum(result["points"]) + result["bonus"]
        result["max"] = self.max

    def bonus(self, result, path):
        course = self.course
        if not course.bonus or result["status"] != "ok" or not result["done"]:
            return 0.0, ""
        if path.suffix != ".c":
            return 0.0, "only for C code, which can be read"
        locks = grade_run.locks(path)
        if locks:
            return 0.0, f"it names locks: {', '.join(locks[:4])}"
        found = grade_run.grade(self.lab, path.resolve(), self.traces,
                                course, [course.bonus_threads], course.runs,
                                self.weights)
        figure = found["figures"].get("throughput", "0").split()[0]
        if found["status"] != "ok" or float(figure) < course.bonus_throughput:
            return 0.0, (f"{found['status']}, {figure} of libc's with "
                         f"{course.bonus_threads} threads")
        return float(course.bonus), f"no lock, {figure} of libc's"

    def feedback(self, name, path, result):
        text = grade_feedback.markdown(
            name, result, self.course, self.lab,
            path.resolve() if isinstance(path, Path) else Path(path),
            self.work / "feedback" / f"{name}.html" if self.pictures else None)
        (self.work / "feedback" / f"{name}.md").write_text(text)
        (self.work / "autolab" / f"{name}.json").write_text(
            grade_feedback.autolab(result, self.course))
        folder = self.work / "gradescope" / name
        folder.mkdir(exist_ok=True)
        (folder / "results.json").write_text(
            grade_feedback.gradescope(result, self.course, text))


# ---- all of them ---------------------------------------------------------

def jobs_here():
    """As many at once as processors and memory allow."""
    free = 0
    with open("/proc/meminfo", encoding="ascii") as f:
        for line in f:
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) << 10
    return max(1, min(len(os.sched_getaffinity(0)), free // MEMORY_EACH))


def grade_all(grader, found, jobs):
    """{name: result}: checked together, timed one at a time."""
    def check(item):
        result = grader.check(*item)
        say(f"{item[0]}: {result['status']}")
        return result
    say(f"checking {len(found)} submissions, {jobs} at a time")
    with ThreadPoolExecutor(jobs) as pool:
        results = dict(zip(found, pool.map(check, found.items())))
    left = [n for n in found if not results[n]["done"]]
    if left:
        say(f"timing {len(left)} that are right, one at a time")
    for name in left:
        results[name] = grader.time(name, found[name], results[name])
        say(f"{name}: {results[name]['total']:.2f} of {grader.max}")
    return results


def alike(found):
    """{name: "other 97 %; ..."}; and the pairs."""
    texts = {n: p.read_text(encoding="utf-8", errors="replace")
             for n, p in found.items()
             if isinstance(p, Path) and p.suffix == ".c"}
    skeleton = handout.SKELETON.read_text(encoding="utf-8")
    pairs = grade_similar.pairs(texts, skeleton)
    said = {}
    for share, a, b in pairs:
        for one, other in ((a, b), (b, a)):
            said.setdefault(one, []).append(f"{other} {share:.0%}")
    return {n: "; ".join(s[:5]) for n, s in said.items()}, pairs


def table_row(name, path, result, similar, course):
    c, u, t = (f"{p:.2f}" for p in result["points"])
    isolated = {True: "yes", False: "no", None: ""}[result["isolated"]]
    return [name, f"{result['total']:.2f}", result["max"], c, u, t,
            f"{result['bonus']:.2f}" if course.bonus else "",
            result["valid"], result["tried"],
            result["figures"].get("utilization", ""),
            result["figures"].get("throughput", ""), result["status"],
            isolated, similar.get(name, ""),
            result["faults"][0][:300] if result["faults"] else "", path]


def write_table(out, found, results, similar, course):
    part = out.with_name(out.name + ".part")
    with open(part, "w", newline="", encoding="utf-8") as f:
        table = csv.writer(f)
        table.writerow(COLUMNS)
        for name, path in found.items():
            table.writerow(table_row(name, path, results[name], similar,
                                     course))
    part.replace(out)


def arguments():
    p = argparse.ArgumentParser(
        prog="grade_all.sh",
        description="Grades a directory of submissions into a CSV file.")
    p.add_argument("submissions", type=Path, metavar="SUBMISSIONS")
    p.add_argument("-o", "--out", type=Path, required=True, metavar="FILE.csv")
    p.add_argument("-c", "--config", type=Path, default=DEFAULT,
                   help="the course's own numbers (course/plain.conf)")
    p.add_argument("-j", "--jobs", type=int, metavar="N",
                   help="checks at once; default: what the machine can do")
    p.add_argument("--no-pictures", action="store_true",
                   help="feedback without the heap at a fault")
    return p.parse_args()


def main():
    args = arguments()
    course = read_or_exit("grade_all.sh", args.config)
    found = submissions(args.submissions)
    if course.families and course.seed == read_or_exit("", DEFAULT).seed:
        say(f"the hidden traces are of {DEFAULT.name}'s seed, which anyone can "
            "read: put one of your own into a config ([hidden] seed)")
    grader = Grader(course, args.out.with_suffix(".work"),
                    not args.no_pictures)
    results = grade_all(grader, found, args.jobs or jobs_here())
    say("writing feedback")
    for name, path in found.items():
        grader.feedback(name, path, results[name])
    similar, pairs = alike(found)
    for share, a, b in pairs:
        say(f"alike: {a} and {b}, {share:.0%}")
    write_table(args.out, found, results, similar, course)
    right = sum(r["status"] == "ok" for r in results.values())
    say(f"{args.out}: {len(found)} submissions, {right} of them right")


if __name__ == "__main__":
    main()
