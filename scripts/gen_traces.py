#!/usr/bin/env python3
"""gen_traces.py - makes the synthetic traces: one file per family of loads.

    scripts/gen_traces.py --list
    scripts/gen_traces.py --out traces              all of them, as committed
    scripts/gen_traces.py --only server-mt --ops 1e6 --seed 7 --plain --out /tmp

The families are in trace_families*.py, each with what it models. The same seed
gives the same trace, byte for byte, with any Python 3 on any machine: only
random() is used of the random module, and no function of the C math library.
Some families fix their sizes; with --vary the seed draws those too, as a hidden
trace must differ from the one that everybody has.
A file whose content would not change is left as it is, because another version
of zstd packs the same text into other bytes.
"""
import argparse
import random
import shutil
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import trace_families_mt  # noqa: F401, adds its families
from trace_families import FAMILIES
from trace_file import trace_text

PREFIX = "gen-"
ZSTD = ["zstd", "-q", "-19", "-c"]


class Dice:
    """Random choices that are the same everywhere."""

    def __init__(self, seed):
        self.random = random.Random(seed).random

    def below(self, n):
        return int(self.random() * n)

    def between(self, low, high):
        """Uniform, both ends included."""
        return low + self.below(high - low + 1)

    def pick(self, items):
        return items[self.below(len(items))]

    def take(self, items):
        """Remove one of a list, in constant time."""
        i = self.below(len(items))
        items[i], items[-1] = items[-1], items[i]
        return items.pop()


class Trace:
    """Operations in file order; ids are given out in order, once each."""

    def __init__(self, ops, dice, vary=False):
        self.wanted = ops
        self.dice = dice
        self.vary = vary
        self.ops = []
        self.live = {}          # id -> size
        self.threads = 0
        self.bytes = self.peak = 0
        self.ids = 0

    def __len__(self):
        return len(self.ops)

    @property
    def progress(self):
        """0 at the start, 1 when the wanted number of operations is there."""
        return len(self.ops) / self.wanted

    def room(self, keep=0):
        """True while there is room for keep frees of what lives and more."""
        return len(self.ops) + len(self.live) + keep < self.wanted

    def near(self, n):
        """n, a number that a family fixes; with --vary, a number near it."""
        return self.dice.between(n * 3 // 4, n * 3 // 2) if self.vary else n

    def _add(self, thread, text, block, size):
        self.bytes += size - self.live.get(block, 0)
        self.peak = max(self.peak, self.bytes)
        self.threads = max(self.threads, thread + 1)
        self.ops.append((thread, text))
        self.live[block] = size

    def _new(self, thread, letter, args, size, again=None):
        block = self.ids if again is None else again
        self.ids += again is None
        self._add(thread, f"{letter} {block} {args}", block, size)
        return block

    def malloc(self, size, thread=0, again=None):
        """again: the id of a block that is free by now. Whoever replays this
        waits for that free, whichever thread's it is."""
        return self._new(thread, "a", size, size, again)

    def calloc(self, n, size, thread=0):
        return self._new(thread, "c", f"{n} {size}", n * size)

    def memalign(self, align, size, thread=0):
        return self._new(thread, "m", f"{align} {size}", size)

    def realloc(self, block, size, thread=0):
        self._add(thread, f"r {block} {size}", block, size)

    def free(self, block, thread=0):
        self._add(thread, f"f {block}", block, 0)
        del self.live[block]

    def free_rest(self, owner=None):
        """Free what lives, each by owner(block): every trace is balanced."""
        for block in list(self.live):
            self.free(block, owner(block) if owner else 0)

    def text(self, comments):
        return trace_text(comments, {"ids": self.ids, "ops": len(self.ops),
                                     "threads": self.threads}, self.ops)


def generate(name, seed, ops, vary=False):
    family = FAMILIES[name]
    dice = Dice(seed * 0x100000000 + zlib.crc32(name.encode()))
    trace = Trace(ops, dice, vary)
    family.make(trace)
    trace.free_rest()
    what = textwrap.dedent("    " + family.make.__doc__).strip()
    what = textwrap.wrap(" ".join(what.split()), 76)
    return trace, trace.text(
        [f"gen_traces.py --only {name} --seed {seed} --ops {ops}"
         + " --vary" * vary, *what])


def packed(text):
    if not shutil.which(ZSTD[0]):
        sys.exit("gen_traces.py: found no zstd program, expected one to "
                 "compress with: install it, or say --plain")
    return subprocess.run(ZSTD, input=text, stdout=subprocess.PIPE,
                          check=True).stdout


def unpacked(path):
    """What a compressed file holds, or None."""
    done = subprocess.run(["zstd", "-q", "-d", "-c", str(path)],
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return done.stdout if done.returncode == 0 else None


def write(directory, name, text, plain):
    path = directory / f"{PREFIX}{name}.trace{'' if plain else '.zst'}"
    data = text.encode()
    if not plain:
        if path.exists() and unpacked(path) == data:
            return path
        data = packed(data)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)
    return path


def list_families():
    for name, family in FAMILIES.items():
        summary = " ".join(family.make.__doc__.split()).split(". ")[0]
        lines = textwrap.wrap(summary.rstrip("."), 57)
        print(f"{name:20} {lines[0]}")
        for line in lines[1:]:
            print(f"{'':20} {line}")


def count(text):
    """A number of operations, `1e6` allowed."""
    value = int(float(text))
    if not 100 <= value <= 10 ** 9:
        raise argparse.ArgumentTypeError(
            f"found {text}, expected from 100 to 1e9 operations")
    return value


def arguments():
    p = argparse.ArgumentParser(
        description="Makes the synthetic traces, one file per family.")
    p.add_argument("--list", action="store_true",
                   help="print the families and end")
    p.add_argument("--out", type=Path, default=Path("traces"), metavar="DIR",
                   help="where the files go (traces)")
    p.add_argument("--only", action="append", choices=list(FAMILIES),
                   metavar="FAMILY", help="only this one; may be repeated")
    p.add_argument("--ops", type=count, metavar="N",
                   help="operations, about; each family has its own default")
    p.add_argument("--seed", type=int, default=1, metavar="N", help="(1)")
    p.add_argument("--vary", action="store_true",
                   help="draw also the numbers that a family fixes")
    p.add_argument("--plain", action="store_true",
                   help="write .trace, not .trace.zst")
    return p.parse_args()


def main():
    args = arguments()
    if args.list:
        return list_families()
    args.out.mkdir(parents=True, exist_ok=True)
    show = sys.stderr.isatty()
    for name in args.only or FAMILIES:
        if show:
            print(f"\r\033[K{name} ...", end="", file=sys.stderr, flush=True)
        trace, text = generate(name, args.seed, args.ops or FAMILIES[name].ops,
                               args.vary)
        path = write(args.out, name, text, args.plain)
        if show:
            print("\r\033[K", end="", file=sys.stderr)
        print(f"{path}: {len(trace)} operations, {trace.threads} threads, "
              f"{trace.peak / 1e6:.1f} MB peak")


if __name__ == "__main__":
    main()
