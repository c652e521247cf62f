"""grade_run.py - one run of mdriver over one submission, and what it found."""
import re
import subprocess
from pathlib import Path

LONGEST = 4 * 3600      # seconds of one run: mdriver's own limits come before
SAID_MOST = 20000       # characters that are kept of what a run said
GRADE = re.compile(
    r"^grade allocator=\S+ valid=(\d+)/(\d+) correctness=([\d.]+)/\d+ "
    r"utilization=([\d.]+)/\d+ throughput=([\d.]+)/\d+ total=([\d.]+)/\d+"
    r"( not-isolated)?$",
    re.M)
FAULT = re.compile(r"^FAULT ([^:]*): (.*(?:\n[ ]+.*)*)", re.M)
FIGURES = re.compile(r"^  (utilization|throughput) +(\S.*?) {2,}[\d.]+ / \d+$",
                     re.M)
TRACE = re.compile(r"^  (\S+) +(\d+)  (\S.*?) +([\d.]+)$", re.M)
LOCKS = re.compile(
    r"\b(pthread_(mutex|spin|rwlock|cond|barrier)\w*|sem_\w+|mtx_\w+|cnd_\w+"
    r"|syscall|futex\w*|flock|lockf)\b")


def mdriver(lab, submission, traces, course, threads, runs, weights):
    """Exit status and both outputs; in the lab's folder. weights: the file of
    how much each trace counts."""
    command = ["./mdriver", "-g", "-a", str(submission), "-r", str(runs),
               "-n", ",".join(map(str, threads)), "-s", str(course.hang),
               "--limit", str(course.limit), "--weights", str(weights)]
    for trace in traces:
        command += ["-f", str(trace)]
    done = subprocess.run(command, cwd=lab, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=LONGEST, start_new_session=True)
    return (done.returncode, done.stdout.decode("utf-8", "replace"),
            done.stderr.decode("utf-8", "replace"))


def cut(text):
    if len(text) <= SAID_MOST:
        return text
    return text[:SAID_MOST] + "\n... and more\n"


def nothing(status, said):
    """A result without points."""
    return {"status": status, "points": [0.0, 0.0, 0.0], "valid": 0,
            "tried": 0, "faults": [], "figures": {}, "traces": [],
            "isolated": None, "said": cut(said)}


def read(status, out, err):
    """What a run found, as a dict that JSON can hold. Points are believed only
    if the last lines are the driver's own, and its exit status agrees."""
    grades = GRADE.findall(out)
    faults = [" ".join(m.group(0).split()) for m in FAULT.finditer(out)]
    if status == 2 and not grades:
        compiles = "does not compile" not in err
        return nothing("refused" if compiles else "does not compile", err)
    if len(grades) != 1 or status not in (0, 1) or (
            status == 0) != (grades[0][0] == grades[0][1]):
        return {**nothing("no result", out[-2000:] + err), "faults": faults}
    valid, tried, *points, _, open_ = grades[0]
    traces = [t for t in TRACE.findall(out) if t[0] != "trace"]
    return {
        "status": "ok" if status == 0 else kind(traces),
        "points": [float(p) for p in points],
        "valid": int(valid), "tried": int(tried), "faults": faults,
        "figures": dict(FIGURES.findall(out)),
        "traces": traces,
        "isolated": not open_,
        "said": cut(err),
    }


def kind(traces):
    """What the first trace that is not valid came to."""
    bad = [what for _, _, what, _ in traces if what != "valid"]
    return bad[0] if bad else "fault"


def grade(lab, submission, traces, course, threads, runs, weights):
    try:
        return read(*mdriver(lab, submission, traces, course, threads,
                             runs, weights))
    except subprocess.TimeoutExpired:
        return nothing("no result", f"mdriver took more than {LONGEST} s")


def locks(submission):
    """The locks that a C file names, without comments and strings."""
    text = Path(submission).read_text(encoding="utf-8", errors="replace")
    text = re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', " ", text,
                  flags=re.S)
    return sorted({m.group(0) for m in LOCKS.finditer(text)})
