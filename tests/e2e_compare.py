#!/usr/bin/env python3
"""e2e_compare.py - compare.py and bench_check.sh on results that are made up:
what is true of them is known. The dice have a fixed seed."""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import result_file    # noqa: E402

SCRATCH = tempfile.TemporaryDirectory()
WORK = Path(SCRATCH.name)
TESTS = []


def test(name):
    def add(function):
        TESTS.append((name, function))
        return function
    return add


def machine():
    cpu = re.search(r"^model name[^:]*: (.*)$",
                    Path("/proc/cpuinfo").read_text(), re.M)
    return f"{cpu.group(1) if cpu else ''}, {os.cpu_count()}"


def result(path, seed, factors, threads=(1,), traces=10, rounds=7, noise=.1,
           heap=1000, machine_drift=.5, status="valid"):
    """A traces.csv. factors: {allocator: time over libc's, or a function of the
    trace's name}; each run is off by `noise`, each round of an allocator by as
    much, all of a round by `machine_drift`; of four runs one is interrupted."""
    dice, rows = random.Random(seed), []

    def off(by):
        return 2 ** dice.gauss(0, by)

    def interrupted():
        return 1 if dice.random() > .25 else 1 + 9 * dice.random()
    for n in threads:
        for t in range(traces):
            name, times = f"t{t:02}", {}
            drifts = [off(machine_drift) for _ in range(rounds)]
            for allocator, factor in {"libc": 1, **factors}.items():
                factor = factor(name) if callable(factor) else factor
                times[allocator] = [
                    [1e-3 * factor * drift * process * off(noise) *
                     interrupted() for _ in range(5)]
                    for drift in drifts for process in [off(noise)]]
            for allocator, processes in times.items():
                rows.append({
                    "threads": n, "trace": name, "allocator": allocator,
                    "status": "valid", "heap_peak": heap,
                    **result_file.timing(processes)})
    if status != "valid":
        rows[-1] = {**rows[-1], "status": status, "samples": "", "secs": ""}
    path.parent.mkdir(exist_ok=True, parents=True)
    result_file.write(path, f"command: none; machine: {machine()} processors",
                      result_file.TRACE_COLUMNS, rows)
    return str(path)


def compare(*args):
    done = subprocess.run([str(ROOT / "scripts/compare.py"), *args],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def summary(text, allocator, threads=1):
    """ratio, low, high, verdict of the line of all cells"""
    found = re.search(rf"^{allocator} +{threads}  \d+ +(\S+) \[(\S+), (\S+)\]  "
                      r"(.*)$", text, re.M)
    assert found, text
    return tuple(map(float, found.groups()[:3])) + (found.group(4),)


A = result(WORK / "a.csv", 1, {"x": .8, "y": 1.2})


@test("a result compared with itself shows no difference")
def _():
    ratio, low, high, verdict = summary(compare(A, A)[1], "x")
    assert ratio == 1 and low < 1 < high
    assert verdict == "no difference that this noise allows"


@test("a difference of 20 % is found, with its size, in spite of the drift")
def _():
    b = result(WORK / "b.csv", 2, {"x": .8 * 1.2, "y": 1.2})
    text = compare(A, b)[1]
    ratio, low, high, verdict = summary(text, "x")
    assert 1.1 < low < 1.2 < high < 1.3 and low < ratio < high, text
    assert verdict.startswith("slower, time +"), text
    assert summary(text, "y")[3].startswith("no difference"), text


@test("what is faster is called faster")
def _():
    b = result(WORK / "b.csv", 3, {"x": .6, "y": 1.2})
    assert summary(compare(A, b)[1], "x")[3].startswith("faster, time -")


@test("an interval of 95 % misses the truth in few of 40 comparisons")
def _():
    misses = 0
    for seed in range(40):
        b = result(WORK / "b.csv", 100 + seed, {"x": .8}, traces=3, rounds=5)
        _, low, high, _ = summary(compare(A, b)[1], "x")
        misses += not low <= 1 <= high
    assert misses <= 4, misses


@test("one trace that changed is named, and what else seems to is few")
def _():
    b = result(WORK / "b.csv", 4, {
        "x": lambda t: 1.6 if t == "t07" else .8, "y": 1.2})
    cells = compare(A, b)[1].split("Cells that differ")[1]
    assert re.search(r"^x +1  t07 .* slower, time \+", cells, re.M), cells
    assert cells.count("\n") - 1 <= 5, cells


@test("numbers of threads are kept apart")
def _():
    a = result(WORK / "a2.csv", 5, {"x": 1}, threads=(1, 4))
    b = result(WORK / "b.csv", 6, {"x": 1}, threads=(1, 4))
    assert re.search(r"^x +4  10 ", compare(a, b)[1], re.M)
    b = result(WORK / "b.csv", 6, {"x": 1}, threads=(4, 8))
    text = compare(a, b)[1]
    assert not re.search(r"^x +(1|8) ", text, re.M), text


@test("two allocators of one file are compared round by round")
def _():
    ratio, low, high, _ = summary(compare(f"{A}:x", f"{A}:y")[1], "y")
    assert low < 1.5 < high and abs(ratio - 1.5) < .1
    code, text = compare(f"{A}:x", A)
    assert code == 1 and "expected two of a kind" in text


@test("few rounds allow no statement")
def _():
    b = result(WORK / "b.csv", 7, {"x": 3}, rounds=2)
    assert "fewer than 5 rounds: nothing can be said" in compare(A, b)[1]


@test("-a and -k choose")
def _():
    text = compare(A, A, "-a", "x", "-k", "t0[12]")[1]
    assert re.search(r"^x +1  2 ", text, re.M) and "\ny " not in text, text


@test("files that cannot be compared are refused with a line")
def _():
    (WORK / "no.csv").write_text("# x\na,b\n1,2\n")
    for path, what in (("no.csv", "found no column `threads`"),
                       ("missing.csv", "cannot read it")):
        code, text = compare(A, str(WORK / path))
        assert code == 1 and what in text and text.count("\n") == 1, text
    b = result(WORK / "b.csv", 8, {"z": 1})
    code, text = compare(A, b)
    assert code == 1 and "no cell in common" in text, text


@test("--check: noise is no regression, nor is what is faster")
def _():
    for seed in range(10):
        b = result(WORK / "b.csv", 200 + seed, {"x": .7, "y": 1.2})
        assert compare("--check", A, b) == (0, "")


@test("--check: slower, a fault, a larger heap are regressions")
def _():
    for what, changed in (("slower", {"factors": {"x": .8, "y": 1.5}}),
                          ("is now: crash", {"status": "crash"}),
                          ("peak of heap: 1000 -> 1020", {"heap": 1020})):
        b = result(WORK / "b.csv", 9, **{
            "factors": {"x": .8, "y": 1.2}, **changed})
        code, text = compare("--check", A, b)
        assert code == 1 and what in text, text
    b = result(WORK / "b.csv", 9, {"x": .8, "y": 1.2}, heap=1005)
    assert compare("--check", A, b)[0] == 0


# ---- bench_check.sh, in a project that has only what it needs ---------------

CHECK = WORK / "project"


def project(committed):
    shutil.rmtree(CHECK, ignore_errors=True)
    (CHECK / "scripts").mkdir(parents=True)
    for name in ("bench_check.sh", "compare.py", "cpu_name.sh",
                 "result_file.py"):
        shutil.copy(ROOT / "scripts" / name, CHECK / "scripts")
    (CHECK / "Makefile").write_text("preload:\n")
    (CHECK / "libmm-x.so").write_text("")
    # Takes the next result each time, and notes what it was asked for.
    (CHECK / "bench").write_text(
        '#!/bin/bash\necho "$@" >>asked\nn=$(wc -l <asked)\n'
        'while [[ $1 != -o ]]; do shift; done\n'
        'mkdir -p "$2" && cp "result$n.csv" "$2/traces.csv"\n')
    (CHECK / "bench").chmod(0o755)
    subprocess.run(["git", "init", "-q"], cwd=CHECK, check=True)
    if committed:
        result(CHECK / "results/traces.csv", 1, {"x": 1, "other": 1})
    commit = ("git", "-c", "user.name=t", "-c", "user.email=t@t")
    subprocess.run(["git", "add", "."], cwd=CHECK, check=True)
    subprocess.run([*commit, "commit", "-qm", "x"], cwd=CHECK, check=True)


def check(*factors):
    """Run it; the n-th measurement finds the n-th factor."""
    for n, factor in enumerate(factors, 1):
        result(CHECK / f"result{n}.csv", 300 + n, {"x": factor})
    done = subprocess.run(["scripts/bench_check.sh"], cwd=CHECK, text=True,
                          env={**os.environ, "BENCH": "./bench"},
                          capture_output=True, check=False)
    asked = CHECK / "asked"
    asked = asked.read_text().splitlines() if asked.exists() else []
    return done.returncode, done.stdout + done.stderr, asked


def one_trace(factor):
    return lambda name: factor if name == "t03" else 1


@test("bench-check passes if nothing changed, and measures once")
def _():
    project(committed=True)
    code, text, asked = check(1)
    assert code == 0 and "no regression against results/traces.csv" in text
    assert len(asked) == 1, asked
    assert asked[0].startswith("-a x -n 1 -r 5 -k @(t00|t01|"), asked


@test("bench-check fails if all is slower, each time")
def _():
    project(committed=True)
    code, text, asked = check(1.3, 1.3, 1.3)
    assert code == 1 and len(asked) == 3, text
    assert re.search(r"^x +1  all 10 .* slower", text, re.M), text


@test("bench-check fails if one trace is slower, and measures that again")
def _():
    project(committed=True)
    code, text, asked = check(*[one_trace(2)] * 3)
    assert code == 1 and "x                      1  t03 " in text, text
    assert "t03" in asked[2], asked


@test("bench-check passes if what was slower is not so again")
def _():
    project(committed=True)
    code, text, asked = check(1.3, 1)
    assert code == 0 and len(asked) == 2, text
    project(committed=True)
    code, text, asked = check(one_trace(2), one_trace(2), 1)
    assert code == 0 and len(asked) == 3, text


@test("bench-check has nothing to say without a committed result")
def _():
    project(committed=False)
    code, text, asked = check()
    assert code == 0 and "nothing to compare with" in text and not asked


@test("bench-check has nothing to say about another machine's result")
def _():
    project(committed=True)
    path = CHECK / "results/traces.csv"
    path.write_text(path.read_text().replace("machine: ", "machine: Other "))
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t",
                    "commit", "-qam", "x"], cwd=CHECK, check=True)
    code, text, asked = check()
    assert code == 0 and "another machine (Other" in text and not asked, text


def main():
    failed = False
    for name, function in TESTS:
        try:
            function()
            print(f"ok - {name}")
        except Exception as error:    # also one that the test did not foresee
            failed = True
            text = f"{type(error).__name__}: {error}".replace("\n", "\n# ")
            print(f"not ok - {name}\n# {text}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
