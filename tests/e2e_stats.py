#!/usr/bin/env python3
"""e2e_stats.py - what MM_STATS says adds up and is true, wherever it is asked
for: in a signal handler inside malloc, while others fork, on a full disk."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tap

ROOT = Path(__file__).resolve().parent.parent
SCRATCH = Path(tempfile.mkdtemp())
PROGRAM = SCRATCH / "stats"
PARTS = ("live", "cached", "sent", "free", "purged", "spare", "untouched",
         "records", "other")
STAGES = ("libmm.so", "libmm-arena.so", "libmm-arena-favorite.so",
          "libmm-per-thread.so", "libmm-global.so", "libmm-fit-tree.so")
DESIGNS = ("libmm-fit-cas.so", "libmm-buddy.so", "libmm-bucket.so")


def run(mode, library="libmm.so", stats=None, number="USR1", where=SCRATCH,
        ignored=None):
    """Returns what ended, with what it said on stderr."""
    env = dict(os.environ, LD_PRELOAD=str(ROOT / library))
    if stats:
        env["MM_STATS"] = str(stats)
    if number:
        env["MM_STATS_SIGNAL"] = number
    prepare = ignored and (lambda: signal.signal(ignored, signal.SIG_IGN))
    return subprocess.run([PROGRAM, mode], env=env, cwd=where, text=True,
                          stderr=subprocess.PIPE, check=False,
                          preexec_fn=prepare)


def check(report):
    """A report's equations; a design's has but one of the parts."""
    assert (report["live"] is None or
            report["mapped"] == sum(report[p] for p in PARTS)), report
    for arena in report["arenas"]:
        assert arena["mapped"] == sum(arena[p] for p in PARTS[:5]), arena


def reports(mode, library="libmm.so", **more):
    path = SCRATCH / "reports.json"
    path.unlink(missing_ok=True)
    ended = run(mode, library, path, **more)
    assert ended.returncode == 0 and not ended.stderr, ended
    found = [json.loads(line) for line in path.read_text().splitlines()]
    for report in found:
        check(report)
    return found


def blocks_are_counted_one_by_one():
    for library in STAGES:
        before, during, after, at_exit = reports("count", library)
        more = during["live"] - before["live"]
        assert 1000 * 1000 <= more <= 1000 * 1024, (library, more)
        assert abs(after["live"] - before["live"]) <= 4096, library
        assert at_exit["live"] <= after["live"] + 4096, library
        of_size = [sum(k["live"] + k["headers"] for k in report["classes"]
                       if k["bytes"] in (1008, 1024))
                   for report in (before, during, after)]
        assert of_size[1] - of_size[0] == 1000, (library, of_size)
        assert of_size[2] == of_size[0], (library, of_size)


def a_design_says_what_it_does_not_know():
    for library in DESIGNS:
        found = reports("count", library)
        assert len(found) == 4
        for report in found:
            assert report["live"] is None and report["mapped"] > 0, report


def a_storm_of_signals_inside_malloc():
    for library in STAGES + DESIGNS[:1]:
        found = reports("storm", library)
        assert len(found) > 50, (library, len(found))
        most = max(report["live"] or 0 for report in found)
        assert most < 16 << 20, (library, most)


def threads_that_stop_inside_malloc_hold_nobody_up():
    for library in STAGES + DESIGNS:
        assert len(reports("stuck", library)) == 1


def children_of_fork_tell_of_themselves():
    for library in STAGES:
        found = reports("forks", library, number="14")
        assert len({report["pid"] for report in found}) == 51, library


def text_goes_to_standard_error():
    ended = run("nothing", stats="stderr", number=None)
    lines = ended.stderr.splitlines()
    assert lines[0].startswith("libmm, allocator lockfree, process "), lines
    sums = {line.split()[0]: line.split()[1] for line in lines[-11:]}
    assert int(sums["mapped"]) == sum(int(sums[p]) for p in PARTS), sums
    assert ended.stderr.count("\n") < 200


def json_is_a_switch_too():
    report = json.loads(run("nothing", stats="json:stderr").stderr)
    check(report)
    ended = run("count", number="USR1")    # without MM_STATS: standard error
    assert ended.stderr.count("libmm, allocator ") == 3, ended


def each_process_may_have_a_file():
    ended = run("nothing", stats="of-%p.json")
    found = list(SCRATCH.glob("of-[0-9]*.json"))
    assert not ended.stderr and len(found) == 1, (ended, found)
    assert json.loads(found[0].read_text())["pid"] == int(
        found[0].stem.split("-")[1])


def the_file_is_where_the_program_began():
    assert not run("elsewhere", stats="began.json").stderr
    check(json.loads((SCRATCH / "began.json").read_text()))


def handlers_of_the_program_stay():
    for number in ("USR1", "USR2"):
        ended = run("own", number=number, ignored=signal.SIGUSR2)
        assert ended.returncode == 0 and not ended.stderr, ended


def told(stats, why):
    ended = run("nothing", stats=stats)
    assert ended.returncode == 0, ended
    assert ended.stderr == f"mm: MM_STATS: cannot write {stats}: {why}\n", ended


def what_cannot_be_written_is_told():
    victim, link = SCRATCH / "victim", SCRATCH / "link"
    victim.write_text("mine")
    link.symlink_to(victim)
    told(link, "it is a symbolic link")
    assert victim.read_text() == "mine"
    told("/dev/full", "no space is left there")
    told(SCRATCH / "no" / "such", "there is no such directory")
    told(SCRATCH, "it is a directory")
    told(victim / "below", "a directory in it is none")
    fifo = SCRATCH / "fifo"
    os.mkfifo(fifo)
    told(fifo, "nobody reads it")
    long = "/" + 300 * "x"
    said = run("nothing", stats=long).stderr
    assert said == (f"mm: MM_STATS: cannot write {long[:120]}...: the name is "
                    "too long\n"), said


def no_report_ends_the_program():
    """A write that fails raises SIGPIPE or SIGXFSZ, each time and at exit."""
    ours = dict(os.environ, LD_PRELOAD=str(ROOT / "libmm.so"),
                MM_STATS_SIGNAL="USR1")
    ours.pop("MM_STATS", None)
    for more in {}, {"MM_STATS": "stderr"}:
        reads, writes = os.pipe()
        os.close(reads)
        ended = subprocess.run([PROGRAM, "count"], env=ours | more,
                               stderr=writes, check=False,
                               restore_signals=True)
        os.close(writes)
        assert ended.returncode == 0, ended
    ended = subprocess.run(
        ["sh", "-c", 'ulimit -f 0; exec "$0" count', PROGRAM], check=False,
        env=ours | {"MM_STATS": str(SCRATCH / "limited")}, text=True,
        stderr=subprocess.PIPE)
    assert ended.returncode == 0, ended
    assert ended.stderr == 4 * (f"mm: MM_STATS: cannot write {SCRATCH}/limited:"
                                " the file may not be that large\n"), ended


def a_program_with_rights_writes_nothing():
    rights, path = SCRATCH / "rights", SCRATCH / "rights.json"
    subprocess.run(["gcc", "-static", "-pthread", "-o", rights,
                    ROOT / "tests/stats/stats.c", ROOT / "libmm.a"],
                   check=True)
    SCRATCH.chmod(0o777)
    for mode, files in ((0o755, 1), (0o4755, 0)):
        rights.chmod(mode)
        path.unlink(missing_ok=True)
        subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", rights,
                        "nothing"], check=True,
                       env=dict(os.environ, MM_STATS=str(path)))
        assert path.exists() == bool(files), (oct(mode), path.exists())


def malloc_info_tells_of_each_arena():
    code = ("import ctypes, threading; c = ctypes.CDLL(None);"
            "c.fopen.restype = ctypes.c_void_p;"
            "f = ctypes.c_void_p(c.fopen(b'/dev/stdout', b'w'));"
            "t = threading.Thread(target=lambda: c.malloc_info(0, f));"
            "t.start(); t.join(); c.fflush(f)")
    for library in STAGES:
        said = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, check=True,
            env=dict(os.environ, LD_PRELOAD=str(ROOT / library)))
        root = xml.fromstring(said.stdout)
        heaps = root.findall("heap")
        assert heaps, library
        for heap in heaps:
            sizes = {e.get("type"): int(e.get("size"))
                     for e in heap.findall("total")}
            system = int(heap.find("system").get("size"))
            assert system == sizes["fast"] + sizes["rest"] + sizes["used"]
            assert all(int(s.get("total")) ==
                       int(s.get("count")) * int(s.get("to"))
                       for s in heap.find("sizes"))


TESTS = (blocks_are_counted_one_by_one, a_design_says_what_it_does_not_know,
         a_storm_of_signals_inside_malloc,
         threads_that_stop_inside_malloc_hold_nobody_up,
         children_of_fork_tell_of_themselves, text_goes_to_standard_error,
         json_is_a_switch_too, each_process_may_have_a_file,
         the_file_is_where_the_program_began, handlers_of_the_program_stay,
         what_cannot_be_written_is_told, no_report_ends_the_program,
         a_program_with_rights_writes_nothing,
         malloc_info_tells_of_each_arena)


def main():
    subprocess.run(["gcc", "-O2", "-pthread", "-o", PROGRAM,
                    ROOT / "tests/stats/stats.c"], check=True)
    rights = os.geteuid() == 0 and shutil.which("setpriv")
    try:
        return tap.run(TESTS, () if rights else
                       (a_program_with_rights_writes_nothing,),
                       "needs root and setpriv")
    finally:
        shutil.rmtree(SCRATCH)


if __name__ == "__main__":
    sys.exit(main())
