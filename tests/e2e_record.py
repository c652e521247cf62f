#!/usr/bin/env python3
"""e2e_record.py - records programs that do known things, compares the traces.

The programs are tests/record/*.c: each says what it does, here stands what its
trace must then hold.
"""
import os
import resource
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "record"))
from recording import (RECORD, ROOT, SCRATCH, Recording, clean,  # noqa: E402
                       finish, program, sizes, test)

@test("each function of the malloc family is recorded as what it did")
def _():
    source = (ROOT / "tests/record/family.c").read_text()
    expected = []
    for line in source.splitlines():
        words = line.partition("/*")[2].partition("*/")[0].split(":")[0].split()
        if line.startswith("    ") and words and words[0] in "acrmf":
            page = str(resource.getpagesize())
            expected.append([page if w == "page" else w for w in words])
    trace = clean(Recording([program("family")]).main)
    ops = [[op.letter, str(op.id), *map(str, op.sizes)]
           for op in trace.of_sizes(lambda n: n > 100000)]
    no_null = [e for e in expected if e != ["f", "-1"]]
    assert len(expected) > 20 and ops == no_null, f"{ops} is not {no_null}"
    assert any(op.id is None for op in trace.ops), "no f -1"
    assert trace.mentions("5 requests that failed"), trace.comments


@test("blocks that go round a ring of threads are freed by the next one")
def _():
    n, rounds = 5, 2000
    trace = clean(Recording([program("threads"), n, rounds]).main)
    ops = trace.of_sizes(lambda size: 100000 <= size < 100000 + n)
    maker, freer, thread_of = {}, {}, defaultdict(set)
    for op in ops:
        if op.letter == "a":
            maker[op.id] = op.sizes[0] - 100000
            thread_of[maker[op.id]].add(op.thread)
        if op.letter == "r":
            assert op.sizes[0] == 200000 + (maker[op.id] + 1) % n, op
        if op.letter == "f":
            freer[op.id] = op.thread
    assert Counter(maker.values()) == {t: rounds for t in range(n)}
    assert len(freer) == n * rounds and all(
        len(t) == 1 for t in thread_of.values())
    for block, thread in freer.items():
        assert thread_of[(maker[block] + 1) % n] == {thread}
    assert Counter(op.letter for op in ops)["r"] == n * rounds // 2
    assert trace.cross >= n * rounds // 2, trace.cross


@test("threads beyond 256 are folded, and no operation is lost")
def _():
    trace = clean(Recording([program("threads"), 300, 3]).main)
    ops = trace.of_sizes(lambda size: 100000 <= size < 100300)
    assert trace.header["threads"] == 256, trace.header
    assert len(ops) == 300 * 7 and len(sizes(ops)) == 900, len(ops)


@test("reallocs that race for addresses keep the order of every block")
def _():
    steps = [64 * (1 + i * 7 % 5) + 1 for i in range(6)]
    trace = clean(Recording([program("realloc_race")]).main)
    got = defaultdict(list)
    for op in trace.of_sizes(lambda size: size == steps[0]):
        got[op.id].append(op.sizes[0] if op.sizes else "freed")
    assert len(got) == 12000, len(got)
    assert all(x == [*steps, "freed"] for x in got.values())


@test("what a library does that is opened with RTLD_DEEPBIND is recorded")
def _():
    trace = clean(Recording([program("deep")]).main)
    made = [op for op in trace.ops if 123456 in op.sizes]
    assert len(made) == 1, made
    assert [op.letter for op in trace.ops if op.id == made[0].id] == ["a", "f"]


def check_forks(how):
    traces = Recording([program("forks"), *how])
    blocks = list(range(100000, 100010))
    mine = clean(traces.main).of_sizes(lambda size: size in blocks)
    assert sizes(mine) == blocks and len(mine) == 20, mine
    grandchild = traces.find(lambda t: not t.left or 100003 in
                             sizes(t.ops) and 100002 not in sizes(t.ops))
    child = traces.find(lambda t: 100002 in sizes(t.ops))
    ops = child.of_sizes(lambda size: size in blocks)
    assert sizes(ops) == blocks, ops
    freed = [blocks[op.id] for op in ops if op.letter == "f"]
    assert freed == blocks[::2], freed
    assert sizes(child.ops).count(200000) == 1
    ops = grandchild.of_sizes(lambda size: size in (*blocks, 200000))
    assert sizes(ops) == [*blocks[1::2], 200000], ops
    assert [sizes(ops)[op.id] for op in ops if op.letter == "f"] == [
        200000, 100001], ops
    assert grandchild.mentions("lived already")


@test("a forked child's trace starts with what its parent had")
def _():
    check_forks([])


@test("a child made by a bare system call is noticed, too")
def _():
    check_forks(["raw"])


@test("--no-inherited leaves out what a child had from its parent")
def _():
    traces = Recording([program("forks")], ["--no-inherited"])
    child = traces.find(lambda t: 200000 in sizes(t.ops))
    assert not child.of_sizes(lambda size: 100000 <= size <= 100009)
    assert child.mentions("5 frees or reallocs of blocks of unknown origin")


for how, status in [("exit", 0), ("_exit", 0), ("quick_exit", 0),
                    ("abort", 134), ("kill", 137)]:
    @test(f"a program that ends by {how} loses no operation")
    def _():
        trace = Recording([program("ends"), how], expect=status).main
        assert sizes(clean(trace).ops).count(101) == 20000


@test("each program image that exec starts has a trace of its own")
def _():
    traces = Recording([program("ends"), "exec"])
    assert sizes(clean(traces.main).ops).count(101) == 20000
    assert 400000 not in sizes(traces.main.ops)
    again = traces.find(lambda t: 400000 in sizes(t.ops))
    assert 101 not in sizes(clean(again).ops)
    assert again.comments[0].endswith("ends again"), again.comments


@test("a spawned program is recorded, and its parent's trace goes on")
def _():
    traces = Recording([program("ends"), "spawn"])
    assert 300000 in sizes(clean(traces.main).ops)
    assert sizes(traces.find(lambda t: True).ops).count(400000) == 1


@test("a vfork child leaves its parent's trace whole")
def _():
    traces = Recording([program("ends"), "vfork"])
    assert sizes(clean(traces.main).ops)[-1] == 300000
    assert list(traces.traces) == [""], list(traces.traces)


@test("a program may close and reuse all descriptors and change directory")
def _():
    out = SCRATCH / "lines"
    trace = clean(Recording([program("daemon"), out]).main)
    assert sizes(trace.ops).count(103) == 30000
    assert out.read_text() == "line\n" * 1000, "the program's file is damaged"


@test("threads that live one after another share few numbers")
def _():
    trace = clean(Recording([program("brief")]).main)
    ops = trace.of_sizes(lambda size: size == 105)
    assert len(ops) == 2000, len(ops)
    assert trace.header["threads"] <= 3, trace.header


def truncated(**more):
    traces = Recording([program("ends"), "exit"], expect=3, **more)
    n = sizes(traces.main.ops).count(101)
    assert traces.main.mentions("TRUNCATED"), traces.main.comments
    assert 5000 < n < 20000, n
    assert "recording ends here" in traces.done.stderr, traces.done.stderr


@test("a log that cannot grow ends the trace with a mark, not the program")
def _():
    limit = 500000
    truncated(preexec_fn=lambda: resource.setrlimit(
        resource.RLIMIT_FSIZE, (limit, limit)))


@test("a limit that leaves no room for a log is named before anything runs")
def _():
    traces = Recording(
        ["touch", SCRATCH / "ran"], expect=2,
        preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (50000, 50000)))
    assert "(ulimit -f)" in traces.done.stderr, traces.done.stderr
    assert not (SCRATCH / "ran").exists() and not traces.traces
    assert not list(traces.dir.iterdir()), "logs are left"


@test("a log that could not grow is no sign of another malloc")
def _():
    limit = 350000
    traces = Recording(
        ["sh", "-c", f"{program('ends')} fork; {program('ends')}"], expect=3,
        first=False, preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_FSIZE, (limit, limit)))
    said = traces.done.stderr
    assert "files may have at most 341 KiB here (ulimit -f)" in said, said
    assert "its own malloc" not in said, said


@test("of a wrapper and the programs that it starts, the largest is FILE")
def _():
    worker = program("ends")
    wrapper = f"true; {worker} exit; true"
    traces = Recording(["sh", "-c", wrapper], first=False)
    assert sizes(traces.main.ops).count(101) == 20000
    assert traces.main.comments[0].endswith("ends exit"), traces.main.comments
    assert ".main" in traces.traces, list(traces.traces)
    said = traces.done.stderr
    assert f"t.trace: {len(traces.main.ops)} operations of 1 thread" in said
    assert f"blocks left; by {worker} exit\n" in said, said
    assert "t.trace is of process" in said, said


@test("--first makes the wrapper's own trace FILE")
def _():
    traces = Recording(["sh", "-c", f"true; {program('ends')} exit; true"])
    assert 101 not in sizes(traces.main.ops)
    assert traces.main.comments[0].startswith("sh -c"), traces.main.comments
    assert ".main" not in traces.traces, list(traces.traces)


def not_recorded(traces):
    return [line for line in traces.done.stderr.splitlines()
            if line.startswith("record.sh: not recorded: ")]


@test("a program that gets no environment is said to be missing")
def _():
    traces = Recording(["env", "-i", "/bin/true"])
    assert [line.split(", which ")[0] for line in not_recorded(traces)] == [
        "record.sh: not recorded: /bin/true"], traces.done.stderr
    traces = Recording([program("execs")])
    assert len(not_recorded(traces)) == 10, traces.done.stderr


@test("one that gets it, or could not be started, is not")
def _():
    traces = Recording(["env", "A=1", "sh", "-c", "/bin/true; true"])
    assert not not_recorded(traces), traces.done.stderr
    traces = Recording([program("execs"), "/no/such"])
    assert not not_recorded(traces), traces.done.stderr


@test("--max-ops keeps the first operations and says what it cut")
def _():
    trace = Recording([program("ends")], ["-n", "1000"]).main
    assert len(trace.ops) == 1000 and trace.mentions("cut off at the end")


@test("--skip starts later, with the blocks that live by then")
def _():
    trace = Recording([program("ends")], ["-s", "15000"]).main
    assert sizes(trace.ops).count(101) == 20000
    assert trace.mentions("15000 events before")


@test("--balance frees what the program left")
def _():
    trace = Recording([program("ends")], ["-b"]).main
    assert not trace.left and trace.mentions("blocks left by the program")


@test("a name in .zst gives a compressed trace that mdriver replays")
def _():
    traces = Recording([program("threads"), 4, 500], suffix=".trace.zst")
    assert traces.main.cross > 900
    driver = os.environ.get("MDRIVER", "./mdriver")
    done = subprocess.run(
        [driver, "-f", str(traces.dir / "t.trace.zst"), "-a", "libc",
         "-n", "4", "-r", "1"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


@test("the program's output and exit status are its own")
def _():
    traces = Recording(["sh", "-c", "echo out; echo err >&2; exit 7"], expect=7)
    assert traces.done.stdout == "out\n", traces.done.stdout
    assert traces.done.stderr.startswith("err\n"), traces.done.stderr


@test("a static program is refused with the reason")
def _():
    done = subprocess.run(
        [str(RECORD), "-o", str(SCRATCH / "s.trace"), "--",
         str(program("ends", "-static"))],
        stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "static" in done.stderr, done.stderr
    assert not (SCRATCH / "s.trace").exists()
    assert not list(SCRATCH.glob("*.logs.*"))


@test("a damaged log is refused, not converted")
def _():
    for name, data in [("empty", b""), ("text", b"hello\n" * 20000),
                       ("cut", b"mmrlog 1" + bytes(1000))]:
        log, out = SCRATCH / f"{name}.log", SCRATCH / f"{name}.trace"
        log.write_bytes(data)
        done = subprocess.run([str(ROOT / "rec2trace"), "-o", str(out),
                               str(log)], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 2 and f"{name}.log: not a log" in done.stderr
        assert not out.exists()


def cpu_seconds(command, record):
    before = os.times()
    if record:
        Recording(command)
    else:
        subprocess.run(list(map(str, command)), stdout=subprocess.DEVNULL,
                       check=True)
    after = os.times()
    return (after.children_user + after.children_system
            - before.children_user - before.children_system)


@test("recording python3 takes less than three times the processor time")
def _():
    command = ["/usr/bin/python3", "-c",
               "x = {str(i): [i] * 70 for i in range(200000)}"]
    plain = min(cpu_seconds(command, False) for _ in range(3))
    recorded = min(cpu_seconds(command, True) for _ in range(3))
    assert recorded < 3 * plain, f"{recorded:.2f} s against {plain:.2f} s"


finish()
