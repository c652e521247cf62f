#!/usr/bin/env python3
"""watch.py - runs a command, and ends what hangs, on a machine of any speed.

    tests/watch.py [--idle SECONDS] [--cpu SECONDS] COMMAND [ARGUMENT]...

How long a sound program takes depends on who else wants the processors, so no
time that passes is a limit here. Of the command and all that it starts, two
things are signs of a hang:

  idle  in --idle looks (90), one a second, they use less than 2 % of one
        processor, and in most looks nobody runs, waits for a processor (a
        process that others starve does), or for a disk
  spin  one process has used --cpu seconds (300) of processor time, or all of
        them together ten times as many

Ended first are the processes without children: a shell or a Check program
that waits for them goes on, and can tell which of its tests it was. The third
hang ends everything. What each thread was at is said on standard error.

Exit status: the command's, 128 + N after signal N; 124 if something hung and
the command succeeds all the same, or was ended itself. What the command leaves
running is ended when it is done.
"""
import argparse
import ctypes
import os
import resource
import signal
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")
PR_SET_CHILD_SUBREAPER = 36
LOOK = 1.0                # seconds between looks, at least
IDLE_SHARE = 0.02         # of a processor: below, nothing happens
ALL_TIMES = 10            # all together may use so much more than one
HANGS = 3                 # the last of them ends everything


# ---- what the system tells ---------------------------------------------------

def read(path):
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read()
    except OSError:       # it has ended, or is not ours to look at
        return ""


class Process:
    """One look at /proc/PID/stat."""

    def __init__(self, pid, text):
        self.pid = pid
        self.name = text[text.index("(") + 1:text.rindex(")")]
        fields = text[text.rindex(")") + 2:].split()
        self.state, self.parent = fields[0], int(fields[1])
        times = [int(ticks) / TICK for ticks in fields[11:15]]
        self.cpu = times[0] + times[1]
        self.with_children = sum(times)    # those that it waited for
        self.children = []

    def threads(self):
        """(name, state, where it waits in the kernel) of each."""
        tasks = f"/proc/{self.pid}/task"
        try:
            names = os.listdir(tasks)
        except OSError:
            return
        for task in names:
            text = read(f"{tasks}/{task}/stat")
            if text:
                thread = Process(int(task), text)
                yield (thread.name, thread.state,
                       read(f"{tasks}/{task}/wchan") or "?")


def descendants():
    """All processes below this one that have not ended."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            text = read(f"/proc/{name}/stat")
            if text:
                found[int(name)] = Process(int(name), text)
    for process in found.values():
        if process.parent in found:
            found[process.parent].children.append(process)
    below, todo = [], list(found[os.getpid()].children)
    while todo:
        process = todo.pop()
        process.children = [c for c in process.children if c.state != "Z"]
        todo += process.children
        if process.state != "Z":
            below.append(process)
    return below


# ---- judging -----------------------------------------------------------------

class Watch:
    def __init__(self, idle, cpu):
        self.idle, self.cpu = idle, cpu
        self.hangs = 0
        self.begin()

    def begin(self):
        """Nothing of what was seen so far speaks against them any more."""
        self.looks = []                # (processor seconds in all, who waits)

    def look(self, processes):
        """Which processes have to be ended, and why; or nobody."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = ended.ru_utime + ended.ru_stime + sum(
            p.with_children for p in processes)
        for process in processes:
            if process.cpu > self.cpu:
                return [process], f"used {process.cpu:.0f} s of processor time"
        if used > ALL_TIMES * self.cpu:
            self.hangs = HANGS
            return processes, f"used {used:.0f} s of processor time in all"
        busy = any(state in "RD" for p in processes
                   for _, state, _ in p.threads())
        self.looks = [*self.looks, (used, busy)][-self.idle - 1:]
        if not self.sleeps():
            return [], ""
        leaves = [p for p in processes if not p.children]
        return leaves, f"no progress in {self.idle} looks"

    def act(self):
        """One look, and the end of those that hang."""
        hung, why = self.look(descendants())
        if not hung:
            return
        for process in hung:
            tell(process, why)
        self.hangs += 1
        self.begin()
        end(descendants() if self.hangs >= HANGS else hung)

    def sleeps(self):
        if len(self.looks) <= self.idle:
            return False
        used = self.looks[-1][0] - self.looks[0][0]
        busy = sum(busy for _, busy in self.looks)
        return used < IDLE_SHARE * self.idle * LOOK and 2 * busy < self.idle


def say(text):
    print(f"# watch.py: {text}", file=sys.stderr, flush=True)


def end(processes):
    for process in processes:
        try:
            os.kill(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def tell(process, why):
    say(f"{process.name} ({process.pid}) hangs: {why}; it is ended")
    seen = {}
    for thread in process.threads():
        seen[thread] = seen.get(thread, 0) + 1
    for (name, state, where), n in seen.items():
        say(f"    {n} thread{'s' * (n > 1)} {name}: state {state}, in {where}")


def reap(pid, status):
    """The command's wait status, if it has ended by now."""
    while True:
        try:
            one, its = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if one == 0:
            return status
        if one == pid:
            status = its


def watch(command, idle, cpu):
    """Returns: the exit status of this program."""
    wanted = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
    signal.pthread_sigmask(signal.SIG_BLOCK, wanted)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        pid = os.posix_spawnp(
            command[0], command, os.environ, setsigmask=[],
            setsigdef=[signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT,
                       signal.SIGQUIT])    # run.sh's `&` ignores these
    except OSError as error:
        say(f"{command[0]}: {error.strerror}")
        return 127
    judge, status, next_look = Watch(idle, cpu), None, time.monotonic() + LOOK
    while status is None:
        left = max(0, next_look - time.monotonic())
        got = signal.sigtimedwait(wanted, left)
        if got and got.si_signo != signal.SIGCHLD:
            end(descendants())
            signal.signal(got.si_signo, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, wanted)
            os.kill(os.getpid(), got.si_signo)
        status = reap(pid, status)
        if status is None and not got:
            judge.act()
            next_look = time.monotonic() + LOOK
    end(descendants())
    code = os.waitstatus_to_exitcode(status)
    code = code if code >= 0 else 128 - code
    return 124 if judge.hangs and code in (0, 128 + signal.SIGKILL) else code


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--idle", type=int, default=90)
    parser.add_argument("--cpu", type=float, default=300)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if not args.command:
        parser.error("no command")
    sys.exit(watch(args.command, args.idle, args.cpu))


if __name__ == "__main__":
    main()
