"""marks.py - the parts of a document that a script writes: tables, between two
marks:

    <!-- KIND: NAME -->       or <!-- KIND -->, where there is one of a kind
    ...
    <!-- end of KIND -->
"""

import re


def filled(text, kind, make):
    """text with what is between the marks of this kind made anew.

    make(NAME) gives it, with the newline at its end; NAME is None where the
    mark has none.
    """
    block = re.compile(rf"(<!-- {kind}(?:: (\w+))? -->\n).*?"
                       rf"(<!-- end of {kind} -->)", re.S)
    return block.sub(lambda m: m[1] + make(m[2]) + m[3], text)


def rewrite(path, kind, make):
    """The same for a document, which is to have such marks."""
    text = path.read_text(encoding="utf-8")
    if f"<!-- end of {kind} -->" not in text:
        raise SystemExit(f"{path}: found no line <!-- end of {kind} -->, "
                         f"expected the marks that begin and end the part of "
                         "the script")
    path.write_text(filled(text, kind, make), encoding="utf-8")


def table(head, rows):
    lines = [head, ["--"] * len(head)] + rows
    return "".join(f"| {' | '.join(map(str, line))} |\n" for line in lines)
