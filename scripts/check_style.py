#!/usr/bin/env python3
"""check_style.py - the part of the style that a machine can see.

    scripts/check_style.py [ROOT]   one line per violation, exit status 1

Every source file starts with its name and one line that says what it is for
(`/* util.h - ...`); 80 columns, 4 spaces, no tabs, no spaces at line ends; no
typedef that hides a struct; no code kept under `#if 0`, nothing left for later;
in tests no limit in seconds, as a busy machine breaks it.

Documents have prose of 100 columns; tables, code, and what a script wrote
between `<!-- ... -->` and `<!-- end ... -->` may be wider.
"""
import re
import sys
from pathlib import Path

SOURCES = ["*.[ch]", "mm/**/*.[ch]", "designs/*.[ch]", "driver/**/*.[ch]",
           "record/*.[ch]", "bench/*.[ch]", "teach/*.[ch]",
           "course/**/*.[ch]", "tests/**/*.[ch]", "tests/**/*.sh",
           "tests/**/*.py", "scripts/*.sh", "scripts/*.py", ".ci/run"]
DOCUMENTS = ["*.md", "docs/**/*.md", "traces/*.md", "course/**/*.md"]
COLUMNS = 80
PROSE_COLUMNS = 100
NO_PROSE = ("    ", "|", "<")
ONE_STRING = re.compile(r'\s*".*"[,;)]*$')    # is not broken to fit
TITLE = {".c": "/* {} - ", ".h": "/* {} - ", ".sh": "# {} - ",
         ".py": '"""{} - ', "": "# {} - "}

# Spelt so that this file does not match itself.
LATER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b")
C = [".c", ".h"]
SECONDS = "a limit in seconds: tests/watch.py ends what makes no progress"
RULES = [   # suffixes (None: any), pattern, message
    (None, re.compile(r"\t"), "tab: indent with spaces"),
    (None, re.compile(r"\s+$"), "spaces at the end of the line"),
    (None, LATER, "left for later: do it, or write down why not"),
    (C, re.compile(r"\btypedef\s+(struct|union|enum)\b"),
     "typedef hides a type: write `struct x`"),
    (C, re.compile(r"^\s*#\s*if\s+0\b"), "dead code under #if 0"),
]
IN_TESTS = [
    ([".sh", ""], re.compile(r"(?<!-)\btimeout (-\w+ |[\"$\d])"), SECONDS),
    ([".py"], re.compile(r"\btimeout=\d"), SECONDS),
    (C, re.compile(r"\balarm\(|\btcase_set_timeout\("), SECONDS),
]


def check_file(path, name):
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        yield 1, "not UTF-8"
        return
    lines = text.split("\n")
    rules = RULES + IN_TESTS * name.startswith(("tests/", ".ci/"))
    title = TITLE[path.suffix].format(path.name)
    if not any(line.startswith(title) for line in lines[:2]):
        yield 1, f"the file does not start with `{title}what it is for`"
    if lines[-1] == "":
        lines.pop()
    else:
        yield len(lines), "no newline at the end of the file"
    for number, line in enumerate(lines, 1):
        if len(line) > COLUMNS and not ONE_STRING.match(line):
            yield number, f"{len(line)} columns; the limit is {COLUMNS}"
        for suffixes, pattern, message in rules:
            if pattern.search(line) and path.suffix in (suffixes or TITLE):
                yield number, message


def check_document(path):
    fenced = written = False
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        if line.startswith("<!--"):
            written = not line.startswith("<!-- end")
        if (len(line) > PROSE_COLUMNS and " " in line.strip()
                and not (fenced or written or line.startswith(NO_PROSE))):
            yield number, (f"{len(line)} columns of prose;"
                           f" the limit is {PROSE_COLUMNS}")


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).resolve().parent.parent)
    paths = sorted({p for pattern in SOURCES for p in root.glob(pattern)})
    documents = sorted({p for pattern in DOCUMENTS for p in root.glob(pattern)})
    bad = 0
    for path in paths + documents:
        name = path.relative_to(root).as_posix()
        for line, what in (check_document(path) if path.suffix == ".md"
                           else check_file(path, name)):
            print(f"{name}:{line}: {what}")
            bad += 1
    print(f"style: {len(paths) + len(documents)} files, "
          + (f"{bad} violations" if bad else "all in order"))
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
