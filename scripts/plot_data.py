#!/usr/bin/env python3
"""plot_data.py - makes the tables of which gnuplot draws the charts.

    scripts/plot_data.py RESULTS OUT     for scripts/plot.sh

For each chart of which RESULTS has the figures: OUT/NAME.dat, blocks that two
empty lines separate, and OUT/NAME.gp, the variables that scripts/charts/NAME.gp
reads: NAMES, COLOURS, MARKS of the series, SOURCE, and the chart's own. Prints
the names of the charts.
"""
import sys

from chart_file import Chart, quoted, text
from chart_heat import instructions, memory, throughput
from chart_labels import places, span, step
from results_files import (Measured, Own, counted, geomean, number,
                           program_files, tables, total_speedup)

PANEL_WIDE, PANEL_HIGH = 400, 360    # of the scatter chart, in pixels
PERCENTILES = [("p50", 2), ("p99", 100), ("p999", 1000), ("p9999", 10000)]


# ---- of mdriver's figures ----------------------------------------------------

def speedup(out, m, name="speedup", how="all with the same trace"):
    if len(m.threads()) < 2:
        return None
    chart = Chart(out, name, m.sources)
    names = [a for a in m.allocators()
             if len([n for n in m.threads() if m.rounds(a, n)]) > 1]
    chart.series(names)
    chart.set(PROCESSORS=m.processors or 1, THREADS=m.threads()[-1], HOW=how)
    for a in names:
        chart.block((n, total_speedup(m.rounds(a, n)),
                     geomean(number(r, "round_vs_libc")
                             for r in m.rounds(a, n)))
                    for n in m.threads() if m.rounds(a, n))
    return chart.write() if names else None


def scatter(out, m):
    chart = Chart(out, "scatter", m.sources)
    counts = [n for n in m.threads() if any(
        number(r, "resident_ratio") for a in m.allocators()
        for r in m.rounds(a, n))]
    if not counts:
        return None
    names = m.allocators()
    chart.series(names)
    axes = []
    for n in dict.fromkeys([counts[0], counts[-1]]):
        found = [(geomean(number(r, "resident_ratio")
                          for r in m.rounds(a, n)),
                  geomean(number(r, "round_vs_libc")
                          for r in m.rounds(a, n))) for a in names]
        axes.append(scatter_panel(chart, names, found))
    chart.set(FEW=counts[0], MANY=counts[-1], WIDE=PANEL_WIDE,
              HIGH=PANEL_HIGH)
    for name, values in zip(("X_LOW", "X_HIGH", "X_STEP", "Y_LOW", "Y_HIGH",
                             "Y_STEP"), zip(*axes)):
        chart.array(name, map(text, values))
    return chart.write()


def scatter_panel(chart, names, found):
    """A block for each allocator: its point, where its name is, and that."""
    known = {a: p for a, p in zip(names, found) if None not in p}
    x, y = (span([p[i] for p in known.values()]) for i in (0, 1))
    by_x, by_y = PANEL_WIDE / (x[1] - x[0]), PANEL_HIGH / (y[1] - y[0])
    where = dict(zip(known, places(
        [((p[0] - x[0]) * by_x, (p[1] - y[0]) * by_y, a)
         for a, p in known.items()], PANEL_WIDE, PANEL_HIGH)))
    for a, point in zip(names, found):
        chart.block([(*point, x[0] + where[a][0] / by_x,
                      y[0] + where[a][1] / by_y, quoted(a))]
                    if a in where else [])
    return *x, step(*x), *y, step(*y)


def latency(out, m):
    chart = Chart(out, "latency", m.sources)
    counts = [n for n in m.threads() if any(
        number(r, "malloc_p50_ns") for a in m.allocators()
        for r in m.rounds(a, n))]
    if not counts:
        return None
    chart.series(m.allocators())
    chart.set(FEW=counts[0], MANY=counts[-1])
    for n in [counts[0], counts[-1]]:
        for call in ("malloc", "free"):
            for a in m.allocators():
                chart.block((x, geomean(number(r, f"{call}_{p}_ns")
                                        for r in m.rounds(a, n)))
                            for p, x in PERCENTILES)
    return chart.write()


def programs(out, table):
    """Speed with few and with many threads, and peak of memory with many: a
    line for each program."""
    name = table.path.stem
    chart = Chart(out, name, [table.source])
    rows = [r for r in table.rows if r["status"] == "valid"]
    names = list(dict.fromkeys(r["allocator"] for r in rows))
    known = list(dict.fromkeys(r["program"] for r in rows))
    threads = {p: sorted({int(r["threads"]) for r in rows
                          if r["program"] == p}) for p in known}
    cells = {(r["program"], int(r["threads"]), r["allocator"]): r
             for r in rows}
    panels = [(-1, "resident_peak", 1e-6)]
    if any(len(n) > 1 for n in threads.values()):
        panels.insert(0, (-1, "vs_libc", 1))
    panels.insert(0, (0, "vs_libc", 1))
    for which, column, unit in panels:
        for a in names:
            values = [(p, number(cells.get((p, threads[p][which], a), {}),
                                 column)) for p in known]
            chart.block((quoted(p), value and value * unit)
                        for p, value in values)
    chart.series(names)
    chart.array("PANEL_THREADS", (quoted(f"{n} thread{'s' * (n > 1)}"
                                         if same else "")
                                  for n, same in counts(panels, threads)))
    chart.set(PANELS=len(panels), PROGRAMS=len(known))
    return chart.write()


def counts(panels, threads):
    """Of each panel: how many threads, and whether all programs have them."""
    for which, _, _ in panels:
        found = {n[which] for n in threads.values()}
        yield max(found), len(found) == 1


# ---- of the other files ------------------------------------------------------

def heap_rows(table):
    """allocator -> kind -> rows, of the file's first trace."""
    trace, found = table.rows[0]["trace"], {}
    for row in table.rows:
        if row["trace"] == trace:
            kinds = found.setdefault(row["allocator"], {})
            kinds.setdefault(row["kind"], []).append(row)
    return trace, found


def blend(live, metadata):
    """Colour of a cell: live blue, metadata orange, free light grey."""
    free = max(0, 100 - live - metadata)
    parts = [(live, (0, 114, 178)), (metadata, (230, 159, 0)),
             (free, (222, 222, 222))]
    whole = live + metadata + free
    return [sum(share * colour[i] for share, colour in parts) / whole
            for i in range(3)]


def heapmap(out, table):
    trace, found = heap_rows(table)
    chart = Chart(out, "heapmap", [table.source])
    cells = [c for c in table.columns if c.startswith("row")]
    spans = []
    for kinds in found.values():
        span = float(kinds["live"][0]["span"])
        spans.append(span)
        chart.block((float(live["ops"]), (i + 0.5) * span / len(cells) / 1e6,
                     *(blend(float(live[c]), float(meta[c])) if live[c]
                       else (255, 255, 255)))
                    for live, meta in zip(kinds["live"], kinds["metadata"])
                    for i, c in enumerate(cells))
    chart.series(list(found))
    chart.array("SPANS", (text(s / 1e6) for s in spans))
    chart.set(TRACE=trace, TOP=max(spans) / 1e6, ROWS=len(cells),
              OPS=max(float(r["ops"]) for r in table.rows))
    return chart.write()


def fragmentation(out, table):
    trace, found = heap_rows(table)
    chart = Chart(out, "fragmentation", [table.source])
    chart.series(list(found))
    chart.set(TRACE=trace, OPS=max(float(r["ops"]) for r in table.rows))
    for kinds in found.values():
        chart.block((float(r["ops"]), float(r["payload"]) / 1e6,
                     float(r["heap"]) / 1e6,
                     100 * float(r["payload"]) / float(r["heap"])
                     if float(r["heap"]) else None) for r in kinds["live"])
    return chart.write()


def octave(row):
    """Number of the bucket: 0 for 0, 1 for 1, 2 for 2 and 3, ..."""
    return int(row["from"]).bit_length()


def sizes(out, table):
    """Share of each size, and of each lifetime, in each trace."""
    chart = Chart(out, "sizes", [table.source])
    traces = list(dict.fromkeys(r["trace"] for r in table.rows))
    for measure in ("size", "lifetime"):
        rows = [r for r in table.rows if r["measure"] == measure]
        cells = {(r["trace"], octave(r)): float(r["count"]) for r in rows}
        chart.set(**{f"{measure.upper()}_TOP": max(map(octave, rows))})
        whole = {t: sum(n for k, n in cells.items() if k[0] == t)
                 for t in traces}
        chart.block((o, y, 100 * cells.get((t, o), 0) / whole[t])
                    for y, t in enumerate(traces)
                    for o in range(max(map(octave, rows)) + 1))
    chart.array("TRACE_NAMES", map(quoted, traces))
    chart.set(TRACES=len(traces))
    return chart.write()


def crossing(out, table):
    chart = Chart(out, "crossing", [table.source])
    count = {(r["trace"], r["measure"]): float(r["count"]) for r in table.rows
             if r["measure"] in ("frees", "cross_frees")}
    share = {t: 100 * n / count[t, "frees"] for (t, measure), n
             in count.items() if measure == "cross_frees" and n}
    chart.block((quoted(t), share[t]) for t in sorted(share, key=share.get))
    chart.set(TRACES=len(share))
    return chart.write()


def charts(results, out):
    files = tables(results)
    m = Measured(files)
    if m.parts:
        yield speedup(out, m)
        yield throughput(out, m)
        yield memory(out, m)
        yield scatter(out, m)
        yield latency(out, m)
    own = Own(files)
    if own.sources:
        yield speedup(out, own, "own", "each with its own trace")
    for table in program_files(files):
        yield programs(out, table)
    if counted(files):
        yield instructions(out, [*counted(files)[:1], *counted(files, True)])
    for table in files:
        if table.rows and table.holds("kind", "span", "row0"):
            yield heapmap(out, table)
            yield fragmentation(out, table)
        if table.rows and table.holds("measure", "from", "to", "count"):
            yield sizes(out, table)
            yield crossing(out, table)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: scripts/plot_data.py RESULTS OUT")
    found = [name for name in charts(*sys.argv[1:]) if name]
    print("\n".join(dict.fromkeys(found)))


if __name__ == "__main__":
    main()
