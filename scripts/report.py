#!/usr/bin/env python3
"""report.py - one HTML page with all charts and tables of results/.

    scripts/report.py [RESULTS [OUT.html]]    default: results report.html

The page needs no network and no other file: the charts that scripts/plot.sh
made are in it as SVG, and every CSV file as a table that can be sorted and
filtered. Allocators are summed up in a table of their own.
"""
import html
import json
import re
import sys
from pathlib import Path
from string import Template

from report_intro import introduction
from results_files import (Measured, Own, geomean, mean, number, tables,
                           total_speedup)

PAGE = Path(__file__).resolve().parent / "report_page.html"
TITLE = "Allocators, compared"
CHARTS = [
    ("lab", "The lab's allocator beside libc"),
    ("scatter", "Speed against memory"),
    ("speedup", "More threads, all with the same trace"),
    ("own", "More threads, each with its own trace"),
    ("throughput", "Throughput of each trace"),
    ("memory", "Memory of each trace"),
    ("latency", "Latency of single calls"),
    ("stress", "Stress programs"),
    ("programs", "Real programs"),
    ("instructions", "Instructions of an operation"),
    ("heapmap", "What lies where in the heap"),
    ("fragmentation", "Fragmentation over time"),
    ("sizes", "Sizes and lifetimes in the traces"),
    ("crossing", "Cross-thread frees in the traces")]
# What gnuplot's SVG may refer to: its own ids, data, and the SVG namespaces.
ID = re.compile(r"""(\bid=|\bhref=|url\()(["']?)#?([\w.-]+)(["')])""")
HEAD = re.compile(r"^.*?(?=<svg\b)", re.S)


def escape(text):
    return html.escape(str(text))


def own_ids(svg, prefix):
    """The same picture, whose ids are no other's in the page."""
    ids = set(re.findall(r"""\bid=["']([^"']+)""", svg))

    def renamed(match):
        what, quote, name, end = match.groups()
        if name not in ids:
            return match.group()
        mark = "" if what == "id=" else "#"
        return f"{what}{quote}{mark}{prefix}-{name}{end}"
    return ID.sub(renamed, svg)


def chart(path, name, title):
    svg = HEAD.sub("", path.read_text(encoding="utf-8"), count=1)
    svg = own_ids(svg, name).replace(
        "<svg", f'<svg role="img" aria-label="{escape(title)}"', 1)
    return (f'<h2 id="{name}">{escape(title)}</h2>\n<figure>{svg}</figure>\n')


def cells(row, kinds):
    return "".join(f'<td{" class=text" if words else ""}>{escape(value)}</td>'
                   for value, words in zip(row, kinds))


def table(columns, rows, words):
    """A sortable table; the first so many columns are words."""
    kinds = [i < words for i in range(len(columns))]
    head = "".join(f'<th{" class=text" if kind else ""}>'
                   f"<button>{escape(name)}</button></th>"
                   for name, kind in zip(columns, kinds))
    body = "\n".join(f"<tr>{cells(row, kinds)}</tr>" for row in rows)
    return (f'<div class="whole"><table><thead><tr>{head}</tr></thead>\n'
            f"<tbody>{body}</tbody></table></div>\n")


# ---- the allocators ----------------------------------------------------------

def shown(value, form):
    return "" if value is None else format(value, form)


def speed(rounds):
    """Millions of operations per second, harmonic mean over the rounds."""
    known = [(number(r, "round_ops"), number(r, "round_secs"))
             for r in rounds if number(r, "round_ops")]
    slow = sum(secs / ops for ops, secs in known)
    return len(known) / slow / 1e6 if slow else None


def summary(m, name="summary", title="The allocators"):
    columns = ["allocator", "threads", "rounds", "utilization %",
               "resident / written", "Mops/s", "vs libc", "speedup",
               "malloc p99.9 ns", "free p99.9 ns"]
    rows = []
    for allocator in m.allocators():
        for threads in m.threads():
            rounds = m.rounds(allocator, threads)
            if not rounds:
                continue

            def column(name):
                return [number(r, name) for r in rounds]
            utilization = mean(column("utilization"))
            rows.append([
                allocator, threads, len(rounds),
                shown(utilization and 100 * utilization, ".1f"),
                shown(geomean(column("resident_ratio")), ".2f"),
                shown(speed(rounds), ".1f"),
                shown(geomean(column("round_vs_libc")), ".2f"),
                shown(total_speedup(rounds), ".2f"),
                shown(geomean(column("malloc_p999_ns")), ".0f"),
                shown(geomean(column("free_p999_ns")), ".0f")])
    return (f'<h2 id="{name}">{title}</h2>\n'
            "<p>Valid rounds only. Utilization is an arithmetic mean over the "
            "rounds, throughput a harmonic one, speedup compares totals, the "
            "rest are geometric; docs/driver.md defines every figure.</p>\n"
            + table(columns, rows, 1))


# ---- the files ---------------------------------------------------------------

def whole(file):
    """All of a file, as data that becomes a table when it is opened. What a
    heap map holds of each row of addresses is its chart's."""
    columns = [c for c in file.columns if not re.fullmatch(r"row\d+", c)]
    data = {"columns": columns,
            "rows": [[row[c] or "" for c in columns] for row in file.rows]}
    text = json.dumps(data, separators=(",", ":")).replace("</", "<\\/")
    name = escape(file.path.name)
    return (f"<details><summary>{name}: {len(file.rows)} lines</summary>\n"
            f'<p class="source">{escape(file.source)}</p>\n'
            f'<input type="search" aria-label="lines of {name} to show" '
            'placeholder="lines that contain">\n<div class="scroll"></div>\n'
            f'<script type="application/json">{text}</script></details>\n')


def page(results):
    files = [t for t in tables(results) if t.rows]
    drawn = [(name, title) for name, title in CHARTS
             if (Path(results) / f"{name}.svg").exists()]
    if not files and not drawn:
        sys.exit(f"report.py: {results}: found no results in it, expected CSV "
                 "files of mdriver --csv and charts of scripts/plot.sh")
    m = Measured(files)
    own = Own(files)
    parts = ["<nav>"] + [f'<a href="#{name}">{escape(title)}</a>\n'
                         for name, title in drawn]
    if m.parts:
        parts.insert(1, '<a href="#summary">The allocators</a>\n')
    opening = introduction(m, own)
    if opening:
        parts.insert(1, '<a href="#intro">What to conclude</a>\n')
    parts += ['<a href="#files">All figures</a></nav>\n', opening]
    if m.parts:
        parts.append(summary(m))
    if own.sources:
        parts.append(summary(own, "own-summary",
                             "The allocators, each thread with its own trace"))
    parts += [chart(Path(results) / f"{name}.svg", name, title)
              for name, title in drawn]
    parts.append('<h2 id="files">All figures</h2>\n')
    parts += [whole(file) for file in files]
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=TITLE, body="".join(parts))


def main():
    if len(sys.argv) > 3 or sys.argv[1:2] == ["-h"]:
        sys.exit(__doc__)
    results, out = (sys.argv[1:] + ["results", "report.html"][
        len(sys.argv) - 1:])
    text = page(results)
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.exit(f"report.py: {out}: cannot write it: {error.strerror}")
    print(f"report.py: {out}, {len(text) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
