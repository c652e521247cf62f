#!/usr/bin/env python3
"""trace_table.py - prints the table of traces that traces/README.md holds.

    scripts/trace_table.py [DIR]            the table, as Markdown
    scripts/trace_table.py --write [DIR]    put it into DIR/README.md

Of a recorded trace the first comment is its command and the second its
description; of a generated one, what follows the command is the description.
"""
import sys
from pathlib import Path

from trace_file import Trace

BEGIN = "<!-- table: scripts/trace_table.py --write -->\n"
END = "<!-- end -->\n"
HEAD = ("| trace | what it is | operations | threads | peak payload, MB |"
        " cross-thread frees | file, kB |\n"
        "|---|---|--:|--:|--:|--:|--:|\n")


def what(name, comments):
    if name.startswith("rec-"):
        words = comments[0].replace("|", "\\|")
        return f"{comments[1]}: `{words}`"
    return " ".join(comments[1:]).split(". ")[0]


def rows(directory, load=Trace):
    for path in sorted(Path(directory).glob("*.trace.zst")):
        name, t = path.name[:-len(".trace.zst")], load(path)
        yield (f"| {name} | {what(name, t.comments)} | {len(t.ops)} |"
               f" {t.header['threads']} | {t.peak / 1e6:.1f} | {t.cross} |"
               f" {path.stat().st_size / 1000:.0f} |\n")


def main():
    args = sys.argv[1:]
    write = args[:1] == ["--write"]
    directory = Path((args[write:] or ["traces"])[0])
    table = HEAD + "".join(rows(directory))
    if not write:
        return print(table, end="")
    readme = directory / "README.md"
    before, _, rest = readme.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        sys.exit(f"{readme}: found no place for the table, expected the lines "
                 f"{BEGIN.strip()} and {END.strip()}")
    readme.write_text(before + BEGIN + table + END + after)


if __name__ == "__main__":
    main()
