#!/usr/bin/env python3
"""e2e_scale.py - nothing grows with what is live, with threads, or with
addresses: instructions an operation, memory a thread, blocks that nobody
touches, and what a core dump has of those."""
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tap

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(tempfile.mkdtemp())
LIVE, THREADS = SCRATCH / "live", SCRATCH / "threads"
LIBRARIES = ("libmm.so", "libmm-arena.so")


def run(library, *command, **more):
    env = dict(os.environ)
    if library:
        env["LD_PRELOAD"] = str(ROOT / library)
    return subprocess.run(
        [str(word) for word in command], text=True, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, check=False, env=env, **more)


def instructions(library, mib):
    """An operation, beside so much live memory; as many warm it up."""
    n = 20000
    ended = run(library, "valgrind", "--tool=callgrind",
                "--toggle-collect=operations",
                f"--callgrind-out-file={SCRATCH}/callgrind", LIVE, mib, n)
    said = re.search(r"Collected : (\d+)", ended.stderr)
    assert said, ended.stderr[-500:]
    return int(said[1]) / n


def an_operation_costs_the_same_beside_any_heap():
    for library in LIBRARIES:
        cost = {mib: instructions(library, mib) for mib in (16, 64, 192)}
        assert cost[192] <= 1.2 * cost[16], (library, cost)
        assert cost[192] <= 1.1 * cost[64], (library, cost)


def ten_thousand_threads_at_once():
    by_glibc, _, theirs, _, _ = run(None, THREADS, 10000).stdout.split()
    for library in LIBRARIES:
        said = run(library, THREADS, 10000).stdout
        made, kib = re.fullmatch(r"(\d+) threads, ([\d.]+) KiB each\n",
                                 said).groups()
        assert int(made) > 100, said
        if int(made) < 10000:
            print(f"# {made} threads for {by_glibc} of glibc")
        assert int(made) >= 0.9 * int(by_glibc), (library, made, by_glibc)
        assert float(kib) < float(theirs) + 4, (library, kib, theirs)


def sizes(library, *arguments):
    """(GiB, KiB resident) that the program has."""
    ended = run(library, THREADS, *arguments)
    assert ended.returncode == 0, (library, arguments, ended.returncode)
    found = re.fullmatch(r"(\d+) GiB, (\d+) KiB\n", ended.stdout)
    return int(found[1]), int(found[2])


def blocks_of(library):
    """200 blocks of 1 GiB that nobody touches."""
    return sizes(library, "blocks", 200)


def heap_of(library):
    """65 GiB of blocks of 4 MiB that nobody touches; then many small ones
    besides."""
    return sizes(library, "heap", 65)


def two_hundred_gib_that_nobody_touches():
    for library in LIBRARIES + ("libmm-global.so",):
        gib, kib = blocks_of(library)
        assert gib == blocks_of(None)[0], (library, gib)
        if gib < 200:
            print(f"# the system lets {gib} GiB be mapped")
        assert kib < 4096, (library, kib)


def a_heap_of_65_gib():
    """Of blocks up to 4 MiB, which lie in the heap: it has a second zone."""
    theirs = heap_of(None)
    for library in LIBRARIES + ("libmm-per-thread.so",):
        gib, kib = heap_of(library)
        assert gib == theirs[0], (library, gib)
        assert kib < 1.2 * theirs[1], (library, kib)


def one_block_larger_than_a_heap():
    """70 GiB, written at both ends, made larger: where the system has them."""
    had = 0
    for gib in (10, 20, 70):
        theirs = run(None, THREADS, "one", gib).returncode
        for library in LIBRARIES + ("libmm-per-thread.so", "libmm-global.so"):
            ours = run(library, THREADS, "one", gib).returncode
            assert ours == 0 or ours == theirs == 1, (library, gib, ours)
        had = gib if theirs == 0 else had
    if had < 70:
        raise tap.Skip(f"the system gives at most {had} GiB at once")


def what_was_never_touched_is_not_dumped():
    where = SCRATCH / "dumped"
    where.mkdir()
    run(LIBRARIES[0], THREADS, "blocks", 200, "dump", cwd=where,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_CORE, (resource.RLIM_INFINITY,) * 2))
    cores = list(where.glob("*core*"))
    if not cores:
        raise tap.Skip("the system dumps no core here")
    for core in cores:
        assert core.stat().st_size < 64 << 20, core.stat()


def main():
    for program, name in ((LIVE, "live"), (THREADS, "threads")):
        subprocess.run(["gcc", "-O2", "-pthread", "-o", program,
                        ROOT / f"tests/scale/{name}.c"], check=True)
    counted = an_operation_costs_the_same_beside_any_heap
    tests = (counted, ten_thousand_threads_at_once,
             two_hundred_gib_that_nobody_touches, a_heap_of_65_gib,
             one_block_larger_than_a_heap, what_was_never_touched_is_not_dumped)
    skipped = () if shutil.which("valgrind") else (counted,)
    try:
        return tap.run(tests, skipped, "needs valgrind")
    finally:
        shutil.rmtree(SCRATCH)


if __name__ == "__main__":
    sys.exit(main())
