"""chart_file.py - writes what gnuplot needs for one chart; for plot_data.py.

OUT/NAME.dat has the figures, OUT/NAME.gp the variables.
"""
from itertools import cycle
from pathlib import Path

# Okabe and Ito's colours (2008) are told apart with any colour vision; beside
# it one of gnuplot's point types. Variants have their family's colour. The
# palette ends before the libraries do: two have colours of Tol's muted scheme
# (2021). Who is not here is grey, with one of MORE_MARKS.
STYLES = {
    "arena": ("#0072B2", 7), "per-thread": ("#0072B2", 6),
    "arena-favorite": ("#0072B2", 4), "global": ("#56B4E9", 9),
    "libc": ("#E69F00", 5), "lockfree": ("#000000", 13),
    "bucket": ("#009E73", 13), "bucket-inbox": ("#009E73", 12),
    "bucket-global": ("#009E73", 4), "buddy": ("#CC79A7", 11),
    "buddy-plain": ("#CC79A7", 10), "jemalloc": ("#D55E00", 15),
    "tcmalloc": ("#999933", 8), "mimalloc": ("#882255", 3)}
MORE_MARKS = [7, 5, 9, 11, 13, 15, 6, 4, 8, 10, 12, 14]
LEGEND_LEFT = 0.03    # of the chart's width
WIDTH = 150    # of a line of the source at the foot of a chart


def text(value):
    return "NaN" if value is None else f"{value:.6g}"


def quoted(value):
    return '"' + str(value).replace("\\", "").replace('"', "'") + '"'


def folded(sources):
    """The first lines of the files, in lines of WIDTH, for gnuplot."""
    lines = []
    for source in dict.fromkeys(sources):
        line = ""
        for word in source.split():
            if len(line) + len(word) >= WIDTH:
                lines.append(line)
                line = ""
            line += word + " "
        lines.append(line)
    return "\\n".join(x.strip().replace("\\", "").replace('"', "'")
                      for x in lines)


class Chart:
    """What one chart is drawn from."""

    def __init__(self, out, name, sources):
        self.path, self.name = Path(out), name
        self.blocks = []
        sources = list(dict.fromkeys(sources))
        self.variables = {"SOURCE": f'"{folded(sources)}"',
                          "SOURCE_LINES": folded(sources).count("\\n") + 1}

    def set(self, **variables):
        for name, value in variables.items():
            self.variables[name] = (value if isinstance(value, (int, float))
                                    else quoted(value))

    def array(self, name, values):
        self.variables[name] = "[" + ",".join(map(str, values)) + "]"

    def legend(self, entries):
        """What stands beside the marks below the title, and where: x as a
        fraction of the chart's width, lines from 0."""
        xs, rows, x, row = [], [], LEGEND_LEFT, 0
        for entry in entries:
            wide = (42 + 8.6 * len(entry)) / 1000
            if x + wide > 1 and x > LEGEND_LEFT:
                x, row = LEGEND_LEFT, row + 1
            xs.append(f"{x:.4f}")
            rows.append(row)
            x += wide
        self.array("ENTRIES", map(quoted, entries))
        self.array("ENTRY_X", xs)
        self.array("ENTRY_ROW", rows)
        self.set(LEGEND_ROWS=row + 1)

    def series(self, names, entries=None):
        """N of them, each with its colour and mark; entries: more than the
        names, for the legend."""
        self.array("NAMES", map(quoted, names))
        marks = cycle(MORE_MARKS)
        styles = [STYLES.get(n) or ("#777777", next(marks)) for n in names]
        self.array("COLOURS", (quoted(colour) for colour, _ in styles))
        self.array("MARKS", (mark for _, mark in styles))
        self.legend(entries or names)
        self.set(N=len(names))

    def block(self, rows):
        self.blocks.append("".join(
            " ".join(x if isinstance(x, str) else text(x) for x in row) + "\n"
            for row in rows) or "NaN\n")

    def write(self):
        (self.path / f"{self.name}.dat").write_text("\n\n".join(self.blocks))
        (self.path / f"{self.name}.gp").write_text("".join(
            (f"array {n} = {v}\n" if str(v).startswith("[") else f"{n} = {v}\n")
            for n, v in self.variables.items()))
        return self.name
