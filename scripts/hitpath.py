#!/usr/bin/env python3
"""hitpath.py - counts the instructions of malloc and free where they hit.

    scripts/hitpath.py [--limit N] [--show] LIBRARY [SIZE...]

LIBRARY is a libmm-NAME.so. tests/hitpath/step runs under it and tells which
instructions a malloc of SIZE takes that the cache can serve, and a free by the
thread that made the block, while there is another thread; objdump tells what
they are. Nothing on the way may be a call, a locked instruction or a system
call, and there may be no more than N (30); else the first such way of each
function is shown, and the exit status is 1.
"""
import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

SIZES = [1, 24, 32, 100, 128, 500, 1000]
FORBIDDEN = [
    (re.compile(r"\bcall"), "a call"),
    (re.compile(r"\block\b"), "a locked instruction"),
    (re.compile(r"\bxchg\b.*\("), "a locked instruction"),
    (re.compile(r"\b(syscall|int\s)"), "a system call"),
]


def instructions(library):
    """{address: text} of all that the library can execute."""
    out = subprocess.run(["objdump", "-d", "--no-show-raw-insn", library],
                         check=True, capture_output=True, text=True).stdout
    return {int(address, 16): text for address, text
            in re.findall(r"^ *([0-9a-f]+):\t(.*?)\s*$", out, re.M)}


def ways(library, step, sizes):
    """(function, size, [addresses]) for each call; from the library's base."""
    environment = dict(os.environ, LD_PRELOAD=str(Path(library).resolve()))
    out = subprocess.run([step, *map(str, sizes)], check=True, text=True,
                         capture_output=True, env=environment).stdout
    first, *lines = out.splitlines()
    base = int(first.split()[1], 16)
    for line in lines:
        function, size, *addresses = line.split()
        yield function, int(size), [int(a, 16) - base for a in addresses]


def faults(texts, limit):
    """What is wrong with a way, in words."""
    if not texts:
        yield "no instruction was seen: is the library loaded?"
    if len(texts) > limit:
        yield f"more than {limit} instructions"
    for pattern, what in FORBIDDEN:
        if any(pattern.search(text) for text in texts):
            yield what


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--limit", type=int, default=30,
                        help="instructions that may be on the way (30)")
    parser.add_argument("--show", action="store_true",
                        help="show every instruction")
    parser.add_argument("--step", default="build/tests/hitpath/step",
                        help="the program built from tests/hitpath/step.c")
    parser.add_argument("library")
    parser.add_argument("size", type=int, nargs="*")
    args = parser.parse_args()
    for file, target in ((args.step, args.step), (args.library, "preload")):
        if not Path(file).is_file():
            sys.exit(f"hitpath.py: found no {file}: make {target}")
    code = instructions(args.library)
    shown = set()
    for function, size, way in ways(args.library, args.step,
                                    args.size or SIZES):
        texts = [code[address] for address in way if address in code]
        wrong = list(faults(texts, args.limit))
        print(f"{function}({size}): {len(texts)} instructions"
              + "".join(f"; {what}" for what in wrong))
        if args.show or (wrong and function not in shown):
            print("".join(f"    {text}\n" for text in texts), end="")
        if wrong:
            shown.add(function)
    return 1 if shown else 0


if __name__ == "__main__":
    sys.exit(main())
