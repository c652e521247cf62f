#!/usr/bin/env python3
"""check_links.py - every link from one of our documents to another holds.

    scripts/check_links.py [ROOT]   one line per violation, exit status 1

Links to the net are not followed. Every document in docs/ must be linked from
docs/README.md: what no one finds, no one reads.
"""
import re
import sys
from pathlib import Path

DOCUMENTS = ["*.md", "docs/**/*.md", "traces/*.md", "tests/**/*.md"]
LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)\s]*)?\)")
CODE = re.compile(r"^(```.*?^```|    .*?$)|`[^`\n]*`", re.S | re.M)
ELSEWHERE = re.compile(r"^[a-z]+:")


def links(path):
    """(line number, target) of each link to a file of the project."""
    text = path.read_text(encoding="utf-8")
    text = CODE.sub(lambda code: re.sub(r"[^\n]", " ", code.group()), text)
    for number, line in enumerate(text.split("\n"), 1):
        for target in LINK.findall(line):
            if not ELSEWHERE.match(target):
                yield number, target


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1
                else Path(__file__).resolve().parent.parent).resolve()
    documents = sorted({p for d in DOCUMENTS for p in root.glob(d)})
    index = root / "docs" / "README.md"
    indexed = set()
    bad = count = 0
    for document in documents:
        name = document.relative_to(root)
        for number, target in links(document):
            count += 1
            path = (document.parent / target).resolve()
            if document == index:
                indexed.add(path)
            if not path.exists():
                print(f"{name}:{number}: links to {target}, which is not there")
                bad += 1
    for document in sorted((root / "docs").glob("*.md")):
        if document != index and document not in indexed:
            print(f"{document.relative_to(root)}:1: not in docs/README.md")
            bad += 1
    print(f"links: {count} in {len(documents)} documents, "
          + (f"{bad} violations" if bad else "all in order"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
