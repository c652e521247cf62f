#!/usr/bin/env python3
"""e2e_top.py - libmm-top says of a process what the process says of itself
(MM_STATS), without its help: it may be stopped, or killed meanwhile."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tap

ROOT = Path(__file__).resolve().parent.parent
TOP = ROOT / "scripts/libmm_top.py"
SCRATCH = Path(tempfile.mkdtemp())
PROGRAM, STATIC = SCRATCH / "stats", SCRATCH / "static"
STAGES = ("libmm.so", "libmm-arena.so", "libmm-arena-favorite.so",
          "libmm-per-thread.so", "libmm-global.so", "libmm-fit-tlsf.so")
PARTS = ("live", "cached", "sent", "free", "purged", "spare", "untouched",
         "records", "other")


class Started:
    """A program that is ready; it is killed at the end."""

    def __init__(self, mode, library="libmm.so", program=PROGRAM, **env):
        if library:
            env["LD_PRELOAD"] = str(ROOT / library)
        self.process = subprocess.Popen(
            [program, mode], env=dict(os.environ, **env),
            stdout=subprocess.PIPE)

    def __enter__(self):
        assert self.process.stdout.readline() == b"ready\n"
        return self.process

    def __exit__(self, *unused):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def top(*arguments, env=None):
    return subprocess.run([sys.executable, TOP, *map(str, arguments)], env=env,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=False)


def look(pid):
    ended = top("--json", pid)
    assert ended.returncode == 0, ended
    return json.loads(ended.stdout)


def it_says_what_the_process_says():
    for library in STAGES:
        path = SCRATCH / f"{library}.json"
        with Started("wait", library, MM_STATS=str(path), MM_DECAY="-1",
                     MM_STATS_SIGNAL="USR1") as process:
            seen = look(process.pid)
            process.send_signal(signal.SIGUSR1)
            while not path.exists() or not path.read_text().endswith("\n"):
                pass
            told = json.loads(path.read_text())
        assert seen == told, (library, seen, told)
        assert told["live"] > 10 << 20 and told["nhuge"] == 1, told
        if library in STAGES[:3]:
            assert told["cached"] and told["sent"] and told["spare"], told


def a_stopped_process_is_seen():
    with Started("wait") as process:
        process.send_signal(signal.SIGSTOP)
        assert look(process.pid)["live"] > 10 << 20
        process.send_signal(signal.SIGCONT)


def it_may_work_meanwhile():
    for library in STAGES[:2]:
        with Started("busy", library) as process:
            ended = top("--json", "-d", "0.02", "-n", "20", process.pid)
            reports = [json.loads(line) for line in ended.stdout.splitlines()]
        assert ended.returncode == 0 and len(reports) == 20, ended
        for report in reports:
            assert report["mapped"] == sum(report[p] for p in PARTS), report
            assert report["live"] < 16 << 20, report


def a_static_program_is_seen():
    with Started("wait", None, STATIC) as process:
        assert look(process.pid)["nhuge"] == 1


def a_design_has_totals():
    with Started("wait", "libmm-buddy.so") as process:
        report = look(process.pid)
        assert report["libmm"] == "buddy" and report["live"] is None, report
        assert report["mapped"] > 10 << 20, report
        assert "? mapped" not in top("-n", "1", process.pid).stdout


def the_picture_has_all():
    with Started("wait") as process:
        ended = top("-n", "1", process.pid,
                    env=dict(os.environ, LINES="60", COLUMNS="140"))
    lines = ended.stdout.splitlines()
    assert ended.returncode == 0 and "\033" not in ended.stdout, ended
    assert re.match(rf"libmm \(lockfree\), process {process.pid} \(stats\): ",
                    lines[0]), lines
    assert sum(" stats  " in line for line in lines) == 5, ended.stdout
    assert any(re.match(r" +624 +\d+ ", line) for line in lines), ended.stdout


def what_is_no_such_process_is_told():
    with Started("wait", None) as process:
        ended = top(process.pid)
        assert ended.returncode == 1 and not ended.stdout, ended
        assert re.fullmatch(r"libmm-top: process \d+ \(stats\) has no libmm, "
                            r"or one of another version: .*\n", ended.stderr)
    ended = top(process.pid)
    assert ended.returncode == 1, ended
    assert ended.stderr == f"libmm-top: there is no process {process.pid}\n"


def what_cannot_be_written_is_told():
    with Started("wait") as process, open("/dev/full", "wb") as full:
        for how in ("--json",), ("-n", "1"):
            ended = subprocess.run(
                [sys.executable, TOP, *how, str(process.pid)], text=True,
                stdout=full, stderr=subprocess.PIPE, check=False)
            assert ended.returncode == 1, ended
            assert ended.stderr == ("libmm-top: cannot write: No space left on "
                                    "device\n"), ended


def a_bad_number_is_told():
    for bad in ("-n", "-1"), ("-d", "0"), ("-d", "nan"):
        ended = top(*bad, os.getpid())
        assert ended.returncode == 2 and f": {bad[1]}: 0" in ended.stderr, ended


def a_thread_may_have_any_name():
    with Started("name") as process:
        ended = top("-n", "1", process.pid,
                    env=dict(os.environ, PYTHONIOENCODING="ascii"))
    assert "(?[2Jx?)" in ended.stdout, ended
    assert "\033" not in ended.stdout and not ended.stderr, ended


def a_process_that_is_killed_ends_it():
    with Started("wait") as process:
        watcher = subprocess.Popen(
            [sys.executable, TOP, "-d", "0.01", "--json", str(process.pid)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watcher.stdout.readline()
    _, said = watcher.communicate()
    assert watcher.returncode == 1, said
    assert said == f"libmm-top: process {process.pid} has ended\n", said


def another_version_is_told():
    """It has a table, but not with the words that this one has."""
    source, program = SCRATCH / "other.c", SCRATCH / "other"
    source.write_text("""
        #include <unistd.h>
        static const char *name = "lockfree";
        static const struct { char name[32]; unsigned long at; } view[]
            __attribute__((used)) = {
            {"libmm view 1", 0x7c3fe1b59a0d2846},
            {"name", (unsigned long)&name}, {"", 0}};
        int main(void)
        {
            if (write(1, "ready\\n", 6) == 6)
                pause();
        }""")
    subprocess.run(["gcc", "-no-pie", "-o", program, source], check=True)
    with Started("", None, program) as process:
        ended = top("--json", process.pid)
    assert ended.returncode == 1 and not ended.stdout, ended
    assert ended.stderr == (
        f"libmm-top: process {process.pid} has a libmm of another version: use "
        "the libmm-top that came with it\n"), ended


def another_users_process_is_told():
    copy = SCRATCH / "top.py"    # where another user can read it
    shutil.copy(TOP, copy)
    SCRATCH.chmod(0o755)
    with Started("wait") as process:
        ended = subprocess.run(
            ["/usr/bin/python3", copy, str(process.pid)], user=65534,
            group=65534, extra_groups=[], text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert ended.returncode == 1 and "is another user's" in ended.stderr, ended


TESTS = (it_says_what_the_process_says, a_stopped_process_is_seen,
         it_may_work_meanwhile, a_static_program_is_seen, a_design_has_totals,
         the_picture_has_all, what_cannot_be_written_is_told,
         a_bad_number_is_told, a_thread_may_have_any_name,
         what_is_no_such_process_is_told,
         a_process_that_is_killed_ends_it, another_version_is_told,
         another_users_process_is_told)


def main():
    source = ROOT / "tests/stats/stats.c"
    subprocess.run(["gcc", "-O2", "-pthread", "-o", PROGRAM, source],
                   check=True)
    subprocess.run(["gcc", "-O2", "-static", "-pthread", "-o", STATIC, source,
                    ROOT / "libmm.a"], check=True)
    can = os.geteuid() == 0 and os.access("/usr/bin/python3", os.X_OK)
    try:
        return tap.run(TESTS, () if can else (another_users_process_is_told,),
                       "needs root, and /usr/bin/python3")
    finally:
        shutil.rmtree(SCRATCH)


if __name__ == "__main__":
    sys.exit(main())
