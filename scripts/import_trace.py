#!/usr/bin/env python3
"""import_trace.py - makes a trace of what another tool recorded.

    scripts/import_trace.py [--format NAME] FILE >my.trace

Reads logs of mtrace(3), ltrace, perf probe and heaptrack, malloc-bench's
traces, and CSV tables; scripts/trace_events.py has the formats, and
docs/traces.md how each is recorded. The format is told by the content unless
it is named. Failed calls are left out. What the file lacks is mended, and told
on stderr: a free of a block that was made before the recording began is left
out; an address that is handed out again was freed meanwhile.
"""
import argparse
import subprocess
import sys

from trace_events import READERS, Bad, guess, read_bytes
from trace_file import trace_text

MAX_THREADS = 256  # of a trace; more are folded, as the recorder does


class Importer:
    """Gives blocks and threads their numbers."""

    def __init__(self):
        self.ops, self.threads, self.live = [], {}, {}
        self.blocks = self.failed = self.unknown = self.missed = 0

    def thread(self, name):
        n = self.threads.setdefault(name, len(self.threads))
        return n % MAX_THREADS

    def put(self, thread, *words):
        self.ops.append((self.thread(thread), " ".join(map(str, words))))

    def made(self, e):
        """A block at e.new: its number."""
        if e.new in self.live:
            self.missed += 1
            self.put(e.thread, "f", self.live.pop(e.new))
        self.live[e.new] = self.blocks
        self.blocks += 1
        return self.live[e.new]

    def free(self, e):
        if e.old is None:
            self.put(e.thread, "f", -1)
        elif e.old in self.live:
            self.put(e.thread, "f", self.live.pop(e.old))
        else:
            self.unknown += 1

    def resize(self, e):
        number = self.live.pop(e.old, None)
        if e.sizes[0] == 0 and e.old is not None:
            self.free(e) if number is None else self.put(e.thread, "f", number)
        elif e.new is None:
            self.failed += 1
            if number is not None:
                self.live[e.old] = number
        elif number is None:
            self.put(e.thread, "a", self.made(e), *e.sizes)
        else:
            if e.new in self.live:
                self.missed += 1
                self.put(e.thread, "f", self.live.pop(e.new))
            self.live[e.new] = number
            self.put(e.thread, "r", number, *e.sizes)

    def add(self, e):
        if e.kind == "f":
            self.free(e)
        elif e.kind == "r":
            self.resize(e)
        elif e.new is None:
            self.failed += 1
        else:
            self.put(e.thread, e.kind, self.made(e), *e.sizes)

    def notes(self):
        """What the trace is not, a line each."""
        for count, text in [
                (self.unknown, "frees of blocks that the file does not make "
                               "are left out"),
                (self.missed, "frees are not in the file: their blocks' "
                              "addresses are handed out again"),
                (self.failed, "calls failed and are left out"),
                (len(self.live), "blocks are never freed")]:
            if count:
                yield f"{count} {text}"
        if len(self.threads) > MAX_THREADS:
            yield (f"{len(self.threads)} threads are folded into "
                   f"{MAX_THREADS}")


def convert(path, name):
    """@return the Importer that has had all of the file, the format's name"""
    data = read_bytes(path)
    name = name or guess(data)
    if not name:
        raise ValueError("0: found none of the formats, expected one of "
                         f"{', '.join(READERS)}; name it with --format")
    importer = Importer()
    for event in READERS[name](data):
        importer.add(event)
    if not importer.ops:
        raise ValueError(f"0: found no call of malloc, expected some ({name})")
    return importer, name


def main():
    parser = argparse.ArgumentParser(
        description="Make a trace of what another tool recorded.")
    parser.add_argument("--format", choices=READERS)
    parser.add_argument("file")
    args = parser.parse_args()
    try:
        made, name = convert(args.file, args.format)
    except OSError as what:
        sys.exit(f"import_trace.py: {args.file}: {what.strerror}")
    except subprocess.CalledProcessError:
        sys.exit(f"import_trace.py: {args.file}:0: found damaged zstd data, "
                 "expected a whole file")
    except (Bad, ValueError, EOFError) as what:
        sys.exit(f"import_trace.py: {args.file}:{what}")
    sys.stdout.write(trace_text(
        [f"import_trace.py {args.file} ({name})", *made.notes()],
        {"ids": made.blocks, "ops": len(made.ops),
         "threads": min(len(made.threads), MAX_THREADS)}, made.ops))
    print(f"{args.file} ({name}): {len(made.ops)} operations on {made.blocks} "
          f"blocks, {len(made.threads)} threads",
          *made.notes(), sep="\n    ", file=sys.stderr)


if __name__ == "__main__":
    main()
