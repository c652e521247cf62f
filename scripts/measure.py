#!/usr/bin/env python3
"""measure.py - runs a program under each allocator, in turn, and measures it.

    scripts/measure.py -o OUT.csv --name larson --threads 4 -r 5 \\
        -a libc,arena,jemalloc -- build/bench/larson 4

One run with libc warms the caches and gives the output to compare with. Then R
rounds: in each, every allocator runs the program once (build/bench/launch). One
that crashes, hangs, fails or prints something else is out: a line on stderr
says why, its row has that status and no time, and the exit status is 1.

An allocator is `libc` (no library), NAME of a libmm-NAME.so, a short name of
`mdriver --list`, or a file x.so. What is not there is left out with a line.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

import result_file

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LAUNCH = os.path.join(ROOT, "build/bench/launch")


def say(text):
    print(f"measure.py: {text}", file=sys.stderr)


def listed():
    """What `mdriver --list` says of each name."""
    text = subprocess.run([os.path.join(ROOT, "mdriver"), "--list"], check=True,
                          capture_output=True, text=True).stdout
    return dict(line.split(None, 1) for line in text.splitlines())


def libraries(names):
    """[(allocator, library)] of those that are there; `-`: none to preload."""
    out, known = [], listed()
    for name in names:
        ours = os.path.join(ROOT, f"libmm-{name}.so")
        words = known.get(name, "").split(",")[0]
        if name == "libc":
            out.append((name, "-"))
        elif os.path.exists(ours):
            out.append((name, ours))
        elif words.startswith("not installed"):
            say(f"{name} is {words}; it is left out")
        elif ".so" in words:
            out.append((name, words))
        elif ".so" in name and os.path.exists(name):
            out.append((re.sub(r"\.so.*", "", os.path.basename(name)),
                        os.path.abspath(name)))
        elif name in known:
            say(f"{name} is linked into mdriver only; it is left out")
        else:
            sys.exit(f"measure.py: no allocator is called '{name}', expected "
                     "libc, NAME of a libmm-NAME.so (make preload), a name of "
                     "`mdriver --list` or a file x.so")
    return out


class Program:
    """One run after the other; self.output is what libc's printed."""

    def __init__(self, args, work):
        self.args = args
        self.result = os.path.join(work, "result")
        self.printed = os.path.join(work, "printed")
        self.output = None

    def run(self, library):
        """(how it ended, seconds, processor seconds, peak bytes)"""
        command = [LAUNCH, self.result, library, str(self.args.seconds),
                   *self.args.command]
        with open(self.printed, "wb") as out:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                           check=True)
        with open(self.result, encoding="utf-8") as file:
            how, secs, cpu, peak = file.read().strip().split(",")
        with open(self.printed, "rb") as file:
            printed = file.read()
        if self.output is None:
            self.output = printed
        if how == "ok" and printed != self.output:
            how = "output"
        return how, float(secs), float(cpu), int(peak)

    def ops(self):
        found = re.search(rb"\bops=(\d+)", self.output)
        return int(found.group(1)) if found else ""


MEANING = {"output": "prints something else than with libc",
           "hang": "does not end in time"}
STATUS = {"ok": "valid", "output": "output", "hang": "hang"}


def status_of(how):
    return STATUS.get(how, "exit" if how.startswith("exit") else "crash")


class Entrant:
    def __init__(self, name, library):
        self.name, self.library = name, library
        self.status, self.runs = "valid", []

    def row(self, args, ops):
        row = {"threads": args.threads, "program": args.name,
               "allocator": self.name, "status": self.status, "ops": ops}
        if self.status == "valid":
            secs, cpu, peak = zip(*self.runs)
            row.update(result_file.timing([[run] for run in secs]))
            row["cpu_secs"] = result_file.format_number(
                result_file.quantile(cpu, 0.5))
            row["resident_peak"] = int(result_file.quantile(peak, 0.5))
        return row


def measure(args, entrants, program):
    how = program.run("-")[0]
    if how != "ok":
        sys.exit(f"measure.py: {args.name}: even with libc it ends with {how}: "
                 f"{' '.join(args.command)}")
    for turn in range(args.runs):
        for e in entrants:
            if e.status != "valid":
                continue
            how, *figures = program.run(e.library)
            e.status = status_of(how)
            e.runs.append(figures)
            if how != "ok":
                say(f"FAULT {e.name}: {args.name}, {args.threads} threads, run "
                    f"{turn + 1}: {MEANING.get(how, 'ends with ' + how)}")


def options():
    p = argparse.ArgumentParser(description="see the head of this file")
    p.add_argument("-o", "--output", required=True)
    p.add_argument("--name", required=True)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("-r", "--runs", type=int, default=5)
    p.add_argument("-s", "--seconds", type=int, default=60)
    p.add_argument("-a", "--allocators", default="libc")
    p.add_argument("command", nargs="+")
    return p.parse_args()


def main():
    args = options()
    entrants = [Entrant(*pair)
                for pair in libraries(args.allocators.split(","))]
    with tempfile.TemporaryDirectory() as work:
        program = Program(args, work)
        measure(args, entrants, program)
        rows = [e.row(args, program.ops()) for e in entrants]
    libc = next((r for r in rows if r["allocator"] == "libc"), {})
    for row in rows:
        if row.get("secs") and libc.get("secs"):
            row["vs_libc"] = result_file.format_number(
                float(libc["secs"]) / float(row["secs"]))
    words = " ".join(sys.argv).split()    # an argument may have lines
    result_file.write(args.output, f"command: {' '.join(words)}",
                      result_file.PROGRAM_COLUMNS, rows)
    return int(any(e.status != "valid" for e in entrants))


if __name__ == "__main__":
    sys.exit(main())
