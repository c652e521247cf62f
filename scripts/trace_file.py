"""trace_file.py - reads, checks and writes a trace in our format, for scripts.

Independent of the driver's reader, so that tests can set one against the other:
reading accepts only what the recorder and the generator write (docs/traces.md).
"""
import subprocess
from collections import namedtuple
from pathlib import Path

# letter, id (None: free(NULL)), sizes as written, thread
Op = namedtuple("Op", "letter id sizes thread")


def trace_text(comments, header, ops):
    """A trace file. header: of names and numbers, in order; ops: pairs of a
    thread and the line of its operation."""
    lines = ["mmtrace 1", *(f"# {c}".rstrip() for c in comments),
             *(f"{name} {n}" for name, n in header.items())]
    now = 0
    for thread, line in ops:
        if thread != now:
            lines.append(f"@{thread}")
            now = thread
        lines.append(line)
    return "\n".join(lines) + "\n"


class Trace:
    """The operations, comments and header of a file; raises ValueError."""

    def __init__(self, path):
        path = Path(path)
        if path.suffix == ".zst":
            data = subprocess.run(["zstd", "-qdc", str(path)], check=True,
                                  stdout=subprocess.PIPE).stdout
        else:
            data = path.read_bytes()
        lines = data.decode("ascii").splitlines()
        if not lines or lines[0] != "mmtrace 1":
            raise ValueError(f"{path}: no mmtrace 1")
        self.comments = [x[2:] for x in lines if x.startswith("#")]
        self.header, self.ops = {}, []
        thread = 0
        for line in lines[1:]:
            word = line.split()
            if line.startswith("#"):
                continue
            if line.startswith("@"):
                thread = int(line[1:])
            elif word[0] in ("ids", "ops", "threads", "weight"):
                self.header[word[0]] = int(word[1])
            else:
                block = int(word[1])
                self.ops.append(Op(word[0], None if block < 0 else block,
                                   tuple(map(int, word[2:])), thread))
        self.check(path)

    def check(self, path):
        live, died, used, size = {}, set(), set(), {}
        self.cross = self.peak = self.bytes = 0
        for n, op in enumerate(self.ops):
            used.add(op.thread)
            if op.id is None:
                continue
            where = f"{path}: operation {n}, {op}"
            self.resize(size, op)
            if op.letter in "acm":
                if op.id in live:
                    raise ValueError(f"{where}: live already")
                live[op.id] = op.thread
            elif op.id not in live:
                raise ValueError(f"{where}: not live")
            elif op.letter == "r":
                live[op.id] = op.thread
            elif op.letter == "f":
                self.cross += live.pop(op.id) != op.thread
                died.add(op.id)
            else:
                raise ValueError(f"{where}: unknown operation")
        self.left = live
        counts = {"ids": len(died.union(live)), "ops": len(self.ops),
                  "threads": len(used)}
        for name, n in counts.items():
            if self.header.get(name) != n:
                raise ValueError(f"{path}: {name} {self.header.get(name)}, "
                                 f"found {n}")
        if used != set(range(len(used))):
            raise ValueError(f"{path}: threads are {sorted(used)}")

    def resize(self, size, op):
        new = {"c": lambda: op.sizes[0] * op.sizes[1], "f": lambda: 0}.get(
            op.letter, lambda: op.sizes[-1])()
        self.bytes += new - size.get(op.id, 0)
        size[op.id] = new
        self.peak = max(self.peak, self.bytes)

    def of_sizes(self, wanted):
        """Operations on blocks whose first size is wanted, ids from 0."""
        number, found = {}, []
        for op in self.ops:
            if op.letter in "acm" and wanted(op.sizes[-1]):
                number[op.id] = len(number)
            if op.id in number:
                found.append(op._replace(id=number[op.id]))
        return found

    def mentions(self, text):
        return any(text in comment for comment in self.comments)
