#!/usr/bin/env python3
"""e2e_gen.py - the trace generator, and the set of traces that is shipped."""
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "record"))
from recording import ROOT, SCRATCH, Trace, finish, test  # noqa: E402
from trace_table import BEGIN, END, HEAD, rows  # noqa: E402

GENERATOR = ROOT / "scripts/gen_traces.py"
SHIPPED = ROOT / "traces"
MEGABYTE = 1e6
FAMILIES = {
    "random", "binary", "binary2", "coalescing", "realloc", "realloc2",
    "array", "string", "struct", "mixed", "mixed-realloc", "server-mt",
    "producer-consumer-mt", "thread-pool-mt", "phases-mt", "lifetimes-mt",
    "powerlaw-mt"}


def generate(name, *args, expect=0, **more):
    out = SCRATCH / name
    done = subprocess.run(
        [sys.executable, str(GENERATOR), "--out", str(out), *args],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
    assert done.returncode == expect, done.stderr
    return {p.name: p for p in sorted(out.glob("*"))}, done


def text(path):
    return subprocess.run(["zstd", "-qdc", str(path)], check=True,
                          stdout=subprocess.PIPE).stdout


PLAIN, _ = generate("plain", "--plain")
FILES = {n[len("gen-"):-len(".trace")]: p for n, p in PLAIN.items()}
TRACES = {}


@test("every family makes a well-formed trace that frees all it made")
def _():
    assert set(FILES) == FAMILIES, set(FILES) ^ FAMILIES
    for name, path in FILES.items():
        TRACES[name] = Trace(path)
        assert not TRACES[name].left, f"{name}: {len(TRACES[name].left)} left"


@test("the committed generated traces are what make traces makes")
def _():
    committed = {p.name for p in SHIPPED.glob("gen-*")}
    assert committed == {f"gen-{n}.trace.zst" for n in FILES}, committed
    for name, path in FILES.items():
        assert text(SHIPPED / f"gen-{name}.trace.zst") == path.read_bytes(), (
            f"gen-{name} differs: run make traces")


@test("another seed makes another trace, the same seed the same")
def _():
    args = ["--plain", "--only", "mixed", "--only", "server-mt",
            "--ops", "3000"]
    one, _ = generate("one", *args, "--seed", "5")
    two, _ = generate("two", *args, "--seed", "5")
    other, _ = generate("other", *args, "--seed", "6")
    assert len(one) == 2
    for name, path in one.items():
        assert path.read_bytes() == two[name].read_bytes(), name
        assert path.read_bytes() != other[name].read_bytes(), name


@test("--vary draws what a family fixes: another seed changes every family")
def _():
    args = ["--plain", "--ops", "600", "--vary"]
    one, _ = generate("vary-one", *args, "--seed", "5")
    two, _ = generate("vary-two", *args, "--seed", "5")
    other, _ = generate("vary-other", *args, "--seed", "6")
    assert len(one) == len(FAMILIES)
    for name, path in one.items():
        assert path.read_bytes() == two[name].read_bytes(), name
        assert Trace(path).ops != Trace(other[name]).ops, name


@test("--ops sets the length of every family")
def _():
    files, _ = generate("short", "--plain", "--ops", "2000")
    assert len(files) == len(FAMILIES)
    for path in files.values():
        n = len(Trace(path).ops)
        assert 1500 <= n <= 2000, f"{path.name}: {n}"


@test("only what is named -mt has threads, and these free across threads")
def _():
    for name, t in TRACES.items():
        mt = name.endswith("-mt")
        assert (t.header["threads"] >= 4) == mt, name
        assert (t.cross > 1000) == mt, f"{name}: {t.cross}"


@test("frees become more frequent in the families of the 213 generator")
def _():
    for name in ("array", "string", "struct", "mixed"):
        ops = TRACES[name].ops
        tenth = len(ops) // 10
        shares = [Counter(op.letter for op in ops[i:i + tenth])["f"] / tenth
                  for i in range(0, len(ops), tenth)]
        assert shares[0] < 0.2 and 0.6 < shares[9] < 0.75, (name, shares)
        assert all(a < b + 0.02 for a, b in zip(shares, shares[1:])), shares


@test("a producer's blocks are all freed by a consumer")
def _():
    t = TRACES["producer-consumer-mt"]
    makers = {op.thread for op in t.ops if op.letter == "a"}
    freers = {op.thread for op in t.ops if op.letter == "f"}
    assert makers == {0, 1, 2, 3} and freers == {4, 5, 6, 7}, (makers, freers)


@test("a producer's message n has the id of its message n - 400")
def _():
    for thread in range(4):
        ids = [op.id for op in TRACES["producer-consumer-mt"].ops
               if op.letter == "a" and op.thread == thread]
        assert len(set(ids)) == 400 and ids[400:] == ids[:-400], thread


@test("the powerlaw family uses every function of the malloc family")
def _():
    assert {op.letter for op in TRACES["powerlaw-mt"].ops} == set("acmrf")


@test("each generated trace says how it is made, what it models and when")
def _():
    for name, t in TRACES.items():
        assert f"--only {name} --seed 1 --ops " in t.comments[0], t.comments
        assert len(" ".join(t.comments[1:])) > 100, name


@test("--list names all families and makes nothing")
def _():
    files, done = generate("list", "--list")
    listed = {line.split()[0] for line in done.stdout.splitlines()
              if line[:1] > " "}
    assert listed == FAMILIES and not files, listed


@test("an unknown family, too few operations, or no zstd is refused")
def _():
    _, done = generate("no", "--only", "nothing", expect=2)
    assert "invalid choice: 'nothing'" in done.stderr, done.stderr
    _, done = generate("no", "--ops", "5", expect=2)
    assert "found 5, expected" in done.stderr, done.stderr
    files, done = generate("no", "--only", "binary", expect=1,
                           env={"PATH": "/nowhere"})
    assert "--plain" in done.stderr and not files, done.stderr


@test("a file with the same content is not written again")
def _():
    args = ["--only", "binary", "--ops", "600"]
    files, _ = generate("same", *args)
    path = files["gen-binary.trace.zst"]
    repacked = subprocess.run(["zstd", "-q1c"], input=text(path), check=True,
                              stdout=subprocess.PIPE).stdout
    path.write_bytes(repacked)
    generate("same", *args)
    assert path.read_bytes() == repacked
    path.write_bytes(b"something else")
    generate("same", *args)
    assert text(path).startswith(b"mmtrace 1\n")


@test("nothing but results is printed when no terminal is there")
def _():
    _, done = generate("quiet", "--only", "coalescing", "--ops", "600")
    assert done.stderr == "" and done.stdout.count("\n") == 1, done


@test("mdriver reads and replays every generated trace")
def _():
    short, _ = generate("replay", "--plain", "--ops", "1000")
    done = subprocess.run(
        [os.environ.get("MDRIVER", "./mdriver"), "-n", "4", "-r", "1",
         "-a", "libc", "-t", str(SCRATCH / "replay")], cwd=ROOT, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


@test("at least eight real programs are shipped, three with cross-thread frees")
def _():
    recorded = {p.name: Trace(p) for p in SHIPPED.glob("rec-*.trace.zst")}
    cross = [name for name, t in recorded.items() if t.cross > 500]
    assert len(recorded) >= 8 and len(cross) >= 3, (len(recorded), cross)
    for name, t in recorded.items():
        TRACES[name] = t
        assert len(t.comments) >= 2, f"{name}: no command or description"
        assert not any("TRUNCATED" in c for c in t.comments), name


@test("the shipped traces keep to the limits of the main job")
def _():
    size = sum(p.stat().st_size for p in SHIPPED.glob("*.zst"))
    ops = sum(len(t.ops) for t in TRACES.values())
    assert size <= 10 * MEGABYTE, f"{size} bytes"
    assert ops <= 5_000_000, ops
    for name, t in TRACES.items():
        assert len(t.ops) <= 300_000, f"{name}: {len(t.ops)}"
        assert t.peak <= 150 * MEGABYTE, f"{name}: {t.peak}"


@test("the table in traces/README.md is true")
def _():
    loaded = {p: TRACES.get(p.name[len("gen-"):-len(".trace.zst")])
              or TRACES[p.name] for p in SHIPPED.glob("*.zst")}
    table = HEAD + "".join(rows(SHIPPED, loaded.get))
    assert BEGIN + table + END in (SHIPPED / "README.md").read_text(), (
        "it is not: run scripts/trace_table.py --write")


finish()
