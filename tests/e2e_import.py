#!/usr/bin/env python3
"""e2e_import.py - scripts/import_trace.py: each format's file gives the trace
that its program made, and what is no such file is refused with its line."""
import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402
from trace_file import Trace  # noqa: E402

SCRIPT = ROOT / "scripts/import_trace.py"
DIR = Path(tempfile.mkdtemp())

# What the program of every file below does, as our operations.
SAME = ["a 0 100", "r 0 200", "c 1 3 7", "f 0", "f 1"]

MTRACE = """= Start
@ ./t:[0x11fd] + 0x55b59c46d4a0 0x64
@ ./t:[0x1212] < 0x55b59c46d4a0
@ ./t:[0x1212] > 0x55b59c46e000 0xc8
@ ./t:(work+0x12)[0x1225] + 0x55b59c46d2a0 0x15
@ [0x1235] - 0x55b59c46e000
@ ./t:[0x1235] ! 0x55b59c46d2a0 0xffffffffff
@ ./t:[0x1254] - 0x55b59c46d2a0
= End
"""
LTRACE = """11173 t->malloc(100)            = 0x55d54e2072a0
[pid 11173] realloc(0x55d54e2072a0, 200 <unfinished ...>
11174 t->puts("malloc(3) = 0x4")        = 6
[pid 11173] <... realloc resumed> )     = 0x55d54e207300
11173 t->malloc(99999999999)            = nil
11174 t->calloc(3, 7)                   = 0x7f0
11173 t->free(0x55d54e207300)           = <void>
11174 t->free(0x7f0)                    = <void>
11174 +++ exited (status 0) +++
"""
PERF = """# ========
 my prog  7 [000] 5.000001: probe_libc:malloc__return: (1 <- 2) ret=0x99
 my prog  7 [000] 5.000001: probe_libc:malloc: (7f01) size=100
 my prog  7 [001] 5.000002: probe_libc:malloc__return: (7f <- 55) ret=0x10
 my prog  7 [001] 5.000003: probe_libc:realloc: (7f01) mem=0x10 size=200
 my prog  8 [000] 5.000004: probe_libc:calloc: (7f01) n=3 size=7
 my prog  7 [001] 5.000005: probe_libc:realloc__return: (7f <- 55) ret=0x20
 my prog  8 [000] 5.000006: probe_libc:calloc__return: (7f <- 55) ret=0x30
 my prog  7 [001] 5.000007: probe_libc:free: (7f01) mem=0x20
 my prog  8 [001] 5.000008: probe_libc:free: (7f01) mem=0x30
"""
HEAPTRACK = """v 10400 3
X ./t
s 4 main
a 64 8
+ 0
- 0
c 1f
a c8 9
+ 1
a 15 a
+ 2
- 1
- 2
"""
CSV = """op,thread,id,size,n
malloc,5,x,100,
realloc,5,x,200,
calloc,9,7,7,3
free,5,x,,
free,9,7,,
"""


def message(field, data):
    """A part of a protobuf message, of less than 128 bytes."""
    return bytes([field << 3 | 2, len(data)]) + data


def number(field, value):
    out = bytes([field << 3])
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def call(op, *values):
    body = b"".join(number(n, v) for n, v in enumerate(values, 1) if v)
    return message(1, message(op, body))


MALLOC_BENCH = (call(1, 300, 100) + call(3, 301, 300, 200) +
                call(4, 302, 3, 7) + call(2, 301) + call(2, 302) +
                number(2, 2))


def run(*args):
    return subprocess.run([SCRIPT, *map(str, args)], capture_output=True,
                          text=True)


def wrote(content, name="log"):
    path = DIR / name
    path.write_bytes(content if isinstance(content, bytes)
                     else content.encode())
    return path


def imported(content, *args):
    """@return the trace, and what was said on stderr"""
    done = run(*args, wrote(content))
    assert done.returncode == 0, done.stderr
    out = DIR / "out.trace"
    out.write_text(done.stdout)
    return Trace(out), done.stderr


def lines(trace):
    return [" ".join(map(str, (op.letter, -1 if op.id is None else op.id,
                               *op.sizes))) for op in trace.ops]


def mtrace():
    trace, said = imported(MTRACE)  # it writes calloc as malloc
    assert lines(trace) == ["a 0 100", "r 0 200", "a 1 21", "f 0", "f 1"]
    assert "(mtrace)" in said


def ltrace_with_a_call_that_another_thread_interrupts():
    trace, said = imported(LTRACE)
    assert lines(trace) == SAME and "(ltrace)" in said
    assert [op.thread for op in trace.ops] == [0, 0, 1, 0, 1]
    assert "1 calls failed and are left out" in said


def perf_probe_with_a_call_that_was_begun_before():
    trace, said = imported(PERF)
    # In the order in which the calls returned.
    assert lines(trace) == SAME and "(perf)" in said
    assert [op.thread for op in trace.ops] == [0, 0, 1, 0, 1]


def heaptrack_plain_and_packed():
    # It knows no realloc: a free and a malloc.
    want = ["a 0 100", "f 0", "a 1 200", "a 2 21", "f 1", "f 2"]
    for content in (HEAPTRACK.encode(), gzip.compress(HEAPTRACK.encode()),
                    subprocess.run(["zstd", "-qc"], input=HEAPTRACK.encode(),
                                   stdout=subprocess.PIPE, check=True).stdout):
        trace, said = imported(content)
        assert lines(trace) == want and "(heaptrack)" in said


def heaptracks_newest_of_equal_blocks_is_freed():
    trace, _ = imported("v 10400 3\na 10 1\n+ 0\n+ 0\n- 0\n- 0\n")
    assert lines(trace) == ["a 0 16", "a 1 16", "f 1", "f 0"]


def malloc_bench():
    trace, said = imported(MALLOC_BENCH)
    assert lines(trace) == SAME and "(malloc-bench)" in said


def csv():
    trace, said = imported(CSV)
    assert lines(trace) == SAME and "(csv)" in said
    assert [op.thread for op in trace.ops] == [0, 0, 1, 0, 1]


def csv_has_all_operations_in_long_and_short():
    trace, _ = imported("op,id,align,size,n\nm,1,64,5,\nfree,-1,,,\n"
                        "a,2,,0,\nr,2,,0,\nr,3,,9,\nmemalign,4,32,1,\n")
    # A realloc to nothing is a free.
    assert lines(trace) == ["m 0 64 5", "f -1", "a 1 0", "f 1", "a 2 9",
                            "m 3 32 1"]


def what_the_file_lacks_is_mended_and_told():
    trace, said = imported("op,id,size\nfree,old,\nmalloc,1,10\nmalloc,1,20\n"
                           "realloc,before,30\nfree,1,\n")
    assert lines(trace) == ["a 0 10", "f 0", "a 1 20", "a 2 30", "f 1"]
    for note in ("1 frees of blocks that the file does not make",
                 "1 frees are not in the file", "1 blocks are never freed"):
        assert note in said and any(note in c for c in trace.comments)


def more_threads_than_a_trace_may_have_are_folded():
    rows = [f"{op},{t},{t},{8 * (op == 'malloc') or ''}"
            for op in ("malloc", "free") for t in range(300)]
    trace, said = imported("op,thread,id,size\n" + "\n".join(rows))
    assert trace.header["threads"] == 256 and "300 threads are folded" in said
    assert trace.header["ops"] == 600


def the_driver_replays_it():
    for content in (MTRACE, LTRACE, PERF, HEAPTRACK, CSV, MALLOC_BENCH):
        imported(content)
        done = subprocess.run([os.environ.get("MDRIVER", ROOT / "mdriver"),
                               "-f", DIR / "out.trace", "-n", "2", "-r", "1",
                               "-a", "global"], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def bad_lines_are_named():
    for content, line, text in [
            ("= Start\n@ x + 0x10 0x20\nhello\n", 3, "expected '@ CALLER"),
            ("1 malloc(1) = 0x10\n1 malloc(what) = 0x20\n", 2, "numbers"),
            ("v 10400 3\na 10 1\n+ 10 1 55aa\n", 3, "interpreted"),
            ("v 10400 3\n+ 7\n", 2, "a line of heaptrack"),
            ("op,id,size\nmalloc,1,many\n", 2, "expected numbers"),
            ("op,id,size\nfree,1,\nmove,2,3\n", 3, "expected malloc, calloc"),
            ("op,id,size\n", 0, "no call of malloc"),
            ("once upon a time\n", 0, "none of the formats"),
            (b"\x0a\x05\x0a", 0, "Tracefile message")]:
        done = run(wrote(content))
        assert done.returncode == 1 and not done.stdout, content
        assert f"/log:{line}: found" in done.stderr, done.stderr
        assert text in done.stderr, done.stderr


def files_that_cannot_be_read_are_named():
    done = run("/nowhere/log")
    assert done.returncode == 1
    assert "/nowhere/log: No such file" in done.stderr
    done = run(wrote(b"\x28\xb5\x2f\xfd damaged"))
    assert done.returncode == 1 and "damaged zstd" in done.stderr


def no_cut_or_changed_byte_ends_in_a_traceback():
    for content in (MTRACE, LTRACE, PERF, HEAPTRACK, CSV, MALLOC_BENCH):
        data = content if isinstance(content, bytes) else content.encode()
        for at in range(0, len(data), max(1, len(data) // 12)):
            for bad in (data[:at], data[:at] + b"\xff" + data[at + 1:]):
                done = run(wrote(bad))
                assert "Traceback" not in done.stderr, done.stderr
                assert done.returncode in (0, 1)


if __name__ == "__main__":
    sys.exit(tap.run([mtrace,
                      ltrace_with_a_call_that_another_thread_interrupts,
                      perf_probe_with_a_call_that_was_begun_before,
                      heaptrack_plain_and_packed,
                      heaptracks_newest_of_equal_blocks_is_freed,
                      malloc_bench, csv,
                      csv_has_all_operations_in_long_and_short,
                      what_the_file_lacks_is_mended_and_told,
                      more_threads_than_a_trace_may_have_are_folded,
                      the_driver_replays_it, bad_lines_are_named,
                      files_that_cannot_be_read_are_named,
                      no_cut_or_changed_byte_ends_in_a_traceback]))
