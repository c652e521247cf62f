#!/usr/bin/env python3
"""compare.py - what changed between two results, and what is only noise?

    scripts/compare.py A.csv B.csv               every allocator, B against A
    scripts/compare.py A.csv:arena A.csv:mimalloc     one against another
        -a NAME,...  only these allocators      -k GLOB  only these names
        --check      for a gate: exit status 1 and a line for each regression
        --keys FILE  with --check: allocator, threads, name (`*`: all)

Files of scripts/bench.sh. Of each cell (a trace or program, and a number of
threads) the times of all runs are there, round by round; in each round the
allocators took turns. A round counts as one value: its best time over libc's
best time in the same round (two allocators of one file are divided by each
other), so that slow drift of the machine cancels, and what interrupts a run,
which only adds, does not count. What is compared is the geometric mean over the
rounds. The interval of 95 % is a bootstrap's over the rounds, widened for
being few (the expanded percentiles of Hesterberg 2015); of several cells
together it is that of their geometric mean. If it holds 1, there is no
difference that this noise allows to see.

A regression (--check) is more than noise: the whole interval of an allocator
is above 1.03, or that of a cell above 1.10, or a peak of heap with one thread,
which is exact, grew by more than 1 %, or a cell that was valid is not.
"""
import argparse
import fnmatch
import math
import random
import sys
from statistics import NormalDist

import result_file
from result_file import quantile

SAMPLES = 4000
LEAST_ROUNDS = 5
SLOWER_ALL, SLOWER_CELL, HEAP = 1.03, 1.10, 1.01
NO_DIFFERENCE = "no difference that this noise allows"


# ---- cells -------------------------------------------------------------------

def name_of(row):
    return row.get("trace") or row.get("program") or f"round {row['round']}"


def by_cell(rows):
    """{(name, threads): {allocator: row}}"""
    cells = {}
    for row in rows:
        key = name_of(row), int(row["threads"])
        cells.setdefault(key, {})[row["allocator"]] = row
    return cells


class Rounds:
    """The logarithm of a row's time over a reference's, for each round."""

    def __init__(self, row, reference):
        self.logs = [math.log(min(times) / min(against))
                     for times, against in zip(result_file.samples(row),
                                               result_file.samples(reference))]

    def mean(self):
        return sum(self.logs) / len(self.logs)

    def resample(self, dice):
        n = len(self.logs)
        return sum(dice.choices(self.logs, k=n)) / n


class Comparison:
    """One cell: log(time of B / time of A), and bootstrap samples of it."""

    def __init__(self, allocator, name, threads, sides, dice):
        self.allocator, self.name, self.threads = allocator, name, threads
        self.rounds = min(len(side.logs) for side in sides)
        self.value = sides[-1].mean()
        self.samples = [sides[-1].resample(dice) for _ in range(SAMPLES)]
        if len(sides) == 2:
            self.value -= sides[0].mean()
            self.samples = [s - sides[0].resample(dice) for s in self.samples]


def student(degrees):
    """The 97.5 % quantile of Student's t, by Cornish and Fisher's series."""
    z = NormalDist().inv_cdf(0.975)
    return z + (z**3 + z) / (4 * degrees) + \
        (5 * z**5 + 16 * z**3 + 3 * z) / (96 * degrees**2) + \
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * degrees**3)


def tail(n):
    """The share of the bootstrap samples of n values to leave out on each
    side: few values show less variance than there is."""
    return NormalDist().cdf(-math.sqrt(n / (n - 1)) * student(n - 1))


class Ratio:
    """The geometric mean of several comparisons, with its interval."""

    def __init__(self, comparisons):
        n = len(comparisons)
        self.value = math.exp(sum(c.value for c in comparisons) / n)
        sums = [sum(column) / n
                for column in zip(*(c.samples for c in comparisons))]
        rounds = min(c.rounds for c in comparisons)
        self.few = rounds < LEAST_ROUNDS
        out = tail(max(rounds, LEAST_ROUNDS))
        self.low = math.exp(quantile(sums, out))
        self.high = math.exp(quantile(sums, 1 - out))

    def verdict(self):
        if self.few:
            return f"fewer than {LEAST_ROUNDS} rounds: nothing can be said"
        if self.low <= 1 <= self.high:
            return NO_DIFFERENCE
        return f"{'slower' if self.value > 1 else 'faster'}, time " \
               f"{100 * (self.value - 1):+.1f} %"

    def differs(self):
        return not self.few and not self.low <= 1 <= self.high

    def slower_than(self, bound):
        return not self.few and self.low > bound


def known(row):
    return row is not None and row["status"] == "valid" and row["samples"]


# ---- what is compared with what ----------------------------------------------

class Side:
    """FILE or FILE:ALLOCATOR"""

    def __init__(self, text):
        self.path, colon, self.allocator = text.partition(".csv:")
        self.path += ".csv" if colon else ""
        self.origin, rows = result_file.read(self.path)
        self.cells = by_cell(rows)


def two_allocators(a, b, wanted, dice):
    """One allocator against another, round by round if they share them."""
    same = a.path == b.path
    for key in sorted(set(a.cells) & set(b.cells)):
        its, mine = a.cells[key].get(a.allocator), b.cells[key].get(b.allocator)
        libcs = a.cells[key].get("libc"), b.cells[key].get("libc")
        if not wanted(key[0]) or not known(its) or not known(mine):
            continue
        if same:
            sides = [Rounds(mine, its)]
        elif all(map(known, libcs)):
            sides = [Rounds(its, libcs[0]), Rounds(mine, libcs[1])]
        else:
            continue
        yield Comparison(b.allocator, *key, sides, dice)


def two_files(a, b, wanted, names, dice):
    for key in sorted(set(a.cells) & set(b.cells)):
        libcs = a.cells[key].get("libc"), b.cells[key].get("libc")
        if not wanted(key[0]) or not all(map(known, libcs)):
            continue
        for name in a.cells[key]:
            rows = a.cells[key][name], b.cells[key].get(name)
            if name != "libc" and all(map(known, rows)) and \
                    (not names or name in names):
                yield Comparison(name, *key, list(map(Rounds, rows, libcs)),
                                 dice)


# ---- reports -----------------------------------------------------------------

def grouped(comparisons):
    """{(allocator, threads): [comparison]}"""
    groups = {}
    for c in comparisons:
        groups.setdefault((c.allocator, c.threads), []).append(c)
    return groups


def line(allocator, threads, what, ratio):
    return f"{allocator:16} {threads:>7}  {what!s:24} {ratio.value:6.3f} " \
           f"[{ratio.low:.3f}, {ratio.high:.3f}]  {ratio.verdict()}"


def memory_line(group, a, b):
    """Means over a group's cells of what both files know."""
    out = []
    rows = [(a.cells[c.name, c.threads][a.allocator or c.allocator],
             b.cells[c.name, c.threads][c.allocator]) for c in group]
    for column in ("utilization", "resident_ratio", "resident_peak"):
        pairs = [(float(x[column]), float(y[column])) for x, y in rows
                 if x.get(column) and y.get(column)]
        if pairs:
            out.append(f"{column} " + " -> ".join(
                f"{sum(side) / len(pairs):.4g}" for side in zip(*pairs)))
    return f"{'':26}{', '.join(out)}" if out else ""


def report(a, b, comparisons):
    for letter, side in ("A", a), ("B", b):
        print(f"{letter} {side.path}{side.allocator and ':' + side.allocator}: "
              f"{side.origin}")
    print("\nTime of B over time of A; 95 % interval\n"
          f"{'allocator':16} {'threads':>7}  {'cells':24} {'B / A':>6}")
    for key, group in grouped(comparisons).items():
        print(line(*key, len(group), Ratio(group)))
        if memory_line(group, a, b):
            print(memory_line(group, a, b))
    differ = [(c, r) for c in comparisons for r in [Ratio([c])] if r.differs()]
    print(f"\nCells that differ by themselves: {len(differ)} of "
          f"{len(comparisons)} (about {len(comparisons) / 20:.0f} would by "
          "chance)")
    for c, ratio in differ:
        print(line(c.allocator, c.threads, c.name, ratio))


def slower(comparisons):
    for (allocator, threads), group in grouped(comparisons).items():
        ratio = Ratio(group)
        if ratio.slower_than(SLOWER_ALL):
            yield (allocator, threads, "*"), line(
                allocator, threads, f"all {len(group)}", ratio)
    for c in comparisons:
        ratio = Ratio([c])
        if ratio.slower_than(SLOWER_CELL):
            key = c.allocator, c.threads, c.name
            yield key, line(*key, ratio)


def worse(a, b):
    """Faults, and more memory where it is exact."""
    for (name, threads), cell in a.cells.items():
        for allocator, row in cell.items():
            now = b.cells.get((name, threads), {}).get(allocator)
            if now is None or row["status"] != "valid":
                continue
            key = allocator, threads, name
            where = f"{allocator:16} {threads:>7}  {name:24} "
            was, heap = row.get("heap_peak"), now.get("heap_peak")
            if now["status"] != "valid":
                yield key, f"{where}was valid, is now: {now['status']}"
            elif threads == 1 and was and heap and \
                    float(heap) > HEAP * float(was):
                yield key, f"{where}peak of heap: {was} -> {heap} bytes"


def options():
    p = argparse.ArgumentParser(description="see the head of this file")
    p.add_argument("A", type=Side)
    p.add_argument("B", type=Side)
    p.add_argument("-a", "--allocators", default="")
    p.add_argument("-k", "--names-like", default="*")
    p.add_argument("--check", action="store_true")
    p.add_argument("--keys")
    return p.parse_args()


def main():
    args = options()
    a, b, dice = args.A, args.B, random.Random(1)

    def wanted(name):
        return fnmatch.fnmatch(name, args.names_like)
    if bool(a.allocator) != bool(b.allocator):
        sys.exit("compare.py: found FILE:ALLOCATOR and FILE, expected two of "
                 "a kind")
    if a.allocator:
        comparisons = list(two_allocators(a, b, wanted, dice))
    else:
        names = args.allocators.split(",") if args.allocators else []
        comparisons = list(two_files(a, b, wanted, names, dice))
    if not comparisons:
        sys.exit(f"compare.py: {a.path} and {b.path} have no cell in common "
                 "that is valid in both")
    if not args.check:
        report(a, b, comparisons)
        return 0
    found = dict([*slower(comparisons), *worse(a, b)])
    print(*found.values(), sep="\n", end="\n" if found else "")
    if args.keys:
        with open(args.keys, "w", encoding="utf-8") as file:
            file.writelines(" ".join(map(str, key)) + "\n" for key in found)
    return int(bool(found))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except result_file.Broken as error:
        sys.exit(f"compare.py: {error}")
