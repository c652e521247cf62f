"""chart_labels.py - where the names of points go in a chart, for plot_data.py.

      name1                Each name is put beside its point, where it covers
    ●                      least: no other name, no other point. Greedy, the
      ▲ name2              points from the left; sizes are in pixels.
"""
HIGH, WIDE = 15, 7.6       # of a letter
NEAR = 9                   # from a point to its name
MARGIN = 0.15              # of the range, around the points
STEPS = (1, 2, 5)          # between the marks of an axis, times a power of ten


def span(values):
    """The range of an axis for these values."""
    low, high = min(values), max(values)
    room = MARGIN * ((high - low) or 1)
    return low - room, high + room


def step(low, high, most=8):
    """A round distance between marks, of which there are at most so many."""
    power = 0.001
    while True:
        for times in STEPS:
            if (high - low) / (times * power) <= most:
                return times * power
        power *= 10


def overlap(a, b):
    """Pixels that two boxes (left, low, right, high) share."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return max(wide, 0) * max(high, 0)


def boxes(x, y, name):
    """Where a name may stand, the best place first."""
    wide = WIDE * len(name)
    for up in (0.7, -0.7, 1.5, -1.5, 2.4, -2.4):
        low = y + up * HIGH - HIGH / 2
        for left in (x + NEAR, x - NEAR - wide, x - wide / 2):
            if left == x - wide / 2 and abs(up) < 1:
                continue
            yield left, low, left + wide, low + HIGH


def places(points, wide, high):
    """points: (x, y, name), in pixels of a panel so wide and high.
    @return: the left middle of each name"""
    marks = [(x - 6, y - 6, x + 6, y + 6) for x, y, _ in points]
    taken, out = [], {}
    for i in sorted(range(len(points)), key=lambda i: points[i]):
        def cost(box, me=i):
            inside = overlap(box, (0, 0, wide, high))
            outside = (box[2] - box[0]) * (box[3] - box[1]) - inside
            return outside + sum(overlap(box, other) for other in taken) + \
                sum(overlap(box, m) for k, m in enumerate(marks) if k != me)
        best = min(boxes(*points[i]), key=cost)
        taken.append(best)
        out[i] = best[0], (best[1] + best[3]) / 2
    return [out[i] for i in range(len(points))]
