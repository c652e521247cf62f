"""recording.py - for the recorder's tests: compile, record, read the traces."""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
from trace_file import Trace  # noqa: E402

RECORD = ROOT / "scripts/record.sh"
SCRATCH = Path(tempfile.mkdtemp())
NOISE = ("origin", "not seen", "under way", "TRUNCATED")
failed = False


def test(name):
    """Run a function at once; what it raises is why it failed."""
    def run(function):
        global failed
        try:
            function()
            print(f"ok - {name}", flush=True)
        except (AssertionError, ValueError, OSError, StopIteration,
                subprocess.SubprocessError) as why:
            text = " ".join(f"{type(why).__name__} {why}".split())[:400]
            print(f"not ok - {name}: {text}", flush=True)
            failed = True
    return run


def program(name, *flags):
    out = SCRATCH / (name + "".join(flags))
    if not out.exists():
        subprocess.run(
            [os.environ.get("CC", "cc"), "-std=gnu11", "-O1", "-D_GNU_SOURCE",
             "-w", "-pthread", *flags, "-fno-builtin", "-o", str(out),
             str(ROOT / f"tests/record/{name}.c")], check=True)
    return out


class Recording:
    """One run of record.sh: its traces by suffix ("" is the program's)."""

    def __init__(self, command, options=(), expect=0, suffix=".trace",
                 first=True, **more):
        self.dir = Path(tempfile.mkdtemp(dir=SCRATCH))
        self.done = subprocess.run(
            [str(RECORD), "-o", str(self.dir / f"t{suffix}"), *options,
             *["--first"] * first, "--",
             *map(str, command)], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more)
        assert self.done.returncode == expect, (
            f"status {self.done.returncode}: {self.done.stderr}")
        self.traces = {p.name[1:-len(suffix)]: Trace(p)
                       for p in sorted(self.dir.glob(f"t*{suffix}"))}

    @property
    def main(self):
        return self.traces[""]

    def find(self, wanted):
        return next(t for name, t in self.traces.items() if name and wanted(t))


def clean(trace):
    """Nothing in it had to be mended."""
    bad = [c for c in trace.comments if any(word in c for word in NOISE)]
    assert not bad, bad
    return trace


def sizes(ops, letters="acm"):
    return [op.sizes[-1] for op in ops if op.letter in letters]


def finish():
    shutil.rmtree(SCRATCH)
    sys.exit(failed)
