"""chart_heat.py - charts of cells: a row for each trace, a column for each
allocator, so that one looks up a trace or compares two columns; for
plot_data.py. Drawn by scripts/charts/heat.gpi.
"""
from collections import namedtuple
from math import log2

from chart_file import Chart, quoted
from results_files import architecture, geomean, mean, number

GOOD, MIDDLE, BAD = (86, 160, 211), (247, 247, 247), (230, 140, 60)

# title: above its columns; cells: {(trace, allocator): figure}; names: its
# allocators; score: of a figure, 1 as good and -1 as bad as colours go; form:
# of the text; mean: of a column's figures.
Panel = namedtuple("Panel", "title names cells score form mean",
                   defaults=[geomean])


def colour(score):
    """A cell's colour as one number, 0xRRGGBB."""
    share = min(1, abs(score))
    end = GOOD if score > 0 else BAD
    red, green, blue = (round(m + share * (e - m))
                        for m, e in zip(MIDDLE, end))
    return str(red << 16 | green << 8 | blue)


def ratio_score(octaves, middle=1.0):
    """Of a figure that is better when it is higher."""
    return lambda value: log2(value / middle) / octaves if value > 0 else -1


def cost_score(octaves, middle):
    """Of one that is better when it is lower."""
    return lambda value: -log2(value / middle) / octaves


def rows_of(panel, traces):
    """(column, height from the bottom, colour, text) of each cell; the means
    are at the bottom, half a row apart."""
    for x, name in enumerate(panel.names, 1):
        found = [panel.cells.get((t, name)) for t in traces]
        mean = panel.mean(found)
        for y, value in enumerate([mean, *reversed(found)]):
            if value is not None:
                yield (x, y + 1 if y else 0.5,
                       colour(panel.score(value)),
                       quoted(format(value, panel.form)))


def heat(chart, panels, traces, means):
    """means: the name of the last row."""
    for panel in panels:
        chart.block(rows_of(panel, traces))
    chart.array("TITLES", (quoted(p.title) for p in panels))
    chart.array("WIDTHS", (str(len(p.names)) for p in panels))
    chart.array("COLUMNS", (quoted(a) for p in panels for a in p.names))
    chart.array("ROWS", map(quoted, [*traces, means]))
    chart.set(PANELS=len(panels), N_ROWS=len(traces) + 1, LEGEND_ROWS=0)
    return chart.write()


# ---- the charts --------------------------------------------------------------

def figures(m, names, column):
    """(trace, allocator) -> figure, of one thread."""
    return {(t, a): number(row, column) for a in names
            for t, row in m.single(a).items()}


def with_figures(m, column):
    return [a for a in m.allocators()
            if any(number(row, column) for row in m.single(a).values())]


def traces_of(m):
    return sorted({t for a in m.allocators() for t in m.single(a)})


def throughput(out, m):
    names = [a for a in with_figures(m, "vs_libc") if a != "libc"]
    if not names:
        return None
    panel = Panel("", names, figures(m, names, "vs_libc"), ratio_score(2),
                  ".2f")
    return heat(Chart(out, "throughput", m.sources), [panel], traces_of(m),
                "geometric mean")


def memory(out, m):
    heaps, all_ = (with_figures(m, column)
                   for column in ("utilization", "resident_ratio"))
    panels = [Panel("peak of live bytes / of heap, %", heaps,
                    figures(m, heaps, "utilization"),
                    lambda share: (share - 0.75) / 0.25, ".0%", mean),
              Panel("peak of resident bytes / of written bytes", all_,
                    figures(m, all_, "resident_ratio"),
                    cost_score(0.7, 1.4), ".2f")]
    panels = [p for p in panels if p.names]
    return heat(Chart(out, "memory", m.sources), panels, traces_of(m),
                "mean") if panels else None


# Of a machine that qemu plays, so that its columns are wide enough.
COMPARED = ("global", "arena", "lockfree", "libc", "mimalloc")


def instructions(out, found):
    """A panel for each file of count.sh; the first is this machine's."""
    panels, traces = [], []
    for table in found:
        cells = {(r["trace"], r["allocator"]): number(r, "per_op")
                 for r in table.rows}
        names = list(dict.fromkeys(a for _, a in cells))
        if panels:
            names = [a for a in names if a in COMPARED] or names
        panels.append(Panel(architecture(table) if found[1:] else "", names,
                            cells, cost_score(2, geomean(cells.values()) or 1),
                            ".0f"))
        traces += [t for t, _ in cells]
    return heat(Chart(out, "instructions", [t.source for t in found]), panels,
                list(dict.fromkeys(traces)), "geometric mean")
