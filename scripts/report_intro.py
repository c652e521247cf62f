"""report_intro.py - what the report says first: what its figures show, in
sentences, and how to read the rest. For report.py.
"""
from results_files import geomean, number

CLOSE = 0.05    # figures that differ by less are called equal


def means(m, threads, column):
    """allocator -> geometric mean over the rounds with so many threads."""
    found = {a: geomean(number(r, column) for r in m.rounds(a, threads))
             for a in m.allocators()}
    return {a: value for a, value in found.items() if value}


def names(words):
    """`a`, `a and b`, `a, b and c`, as HTML."""
    words = [f"<b>{w}</b>" for w in words]
    return " and ".join([", ".join(words[:-1]), words[-1]]
                        if len(words) > 1 else words)


def ways(n):
    return f"{n} thread{'s' if n > 1 else ''}"


def best(found, highest):
    """(those about as good as the best, its figure)"""
    figure = (max if highest else min)(found.values())
    return [a for a, v in found.items()
            if abs(v / figure - 1) < CLOSE], figure


def fastest(m, threads):
    found = means(m, threads, "round_vs_libc")
    if len(found) < 2:
        return ""
    who, ratio = best(found, True)
    if "libc" in who:
        return f"With {ways(threads)} none is faster than libc."
    verb = "are" if len(who) > 1 else "is"
    slow = [a for a, v in found.items() if v < 1 - CLOSE and a != "libc"]
    rest = f"; slower than libc {'are' if len(slow) > 1 else 'is'} " \
           f"{names(slow)}" if slow else ""
    return (f"With {ways(threads)} {names(who)} {verb} the fastest, "
            f"{ratio:.2f} times as fast as the C library's malloc{rest}.")


def falls(m, few, many):
    """What more threads cost the one that they cost most."""
    at = [means(m, n, "round_vs_libc") for n in (few, many)]
    lost = {a: at[1][a] / at[0][a] for a in at[0]
            if a in at[1] and a != "libc"}
    if not lost:
        return ""
    who = min(lost, key=lost.get)
    return "" if lost[who] > 0.8 else (
        f"Threads cost <b>{who}</b> most: {at[0][who]:.2f} times libc's speed "
        f"with {ways(few)}, {at[1][who]:.2f} with {many}.")


def thriftiest(m, threads):
    found = means(m, threads, "resident_ratio")
    if len(found) < 2:
        return ""
    who, ratio = best(found, False)
    most = max(found, key=found.get)
    need = "need" if len(who) > 1 else "needs"
    return (f"With {ways(threads)} {names(who)} {need} the least memory: "
            f"{ratio:.2f} bytes resident for each byte that the program "
            f"wrote; <b>{most}</b> takes the most, {found[most]:.2f}.")


READ = """<p>A speed is libc's time over an allocator's: above 1 it is faster
than the C library. <i>Resident / written</i> is the memory that the process
takes over what the program wrote: 1 is nothing wasted. Few win both: look
for the allocator that is good enough in what you lack, with as many threads as
you have, on the traces that are like your program. A difference that is smaller
than from one run to the next says nothing, and with more threads than
processors much of it is the scheduler's.</p>
"""


def introduction(m, own):
    """m: all replays; own: those in which each thread has its own trace."""
    threaded = own if own.sources else m
    if not m.parts:
        return ""
    few, many = m.threads()[0], threaded.threads()[-1]
    said = [fastest(m, few), thriftiest(m, few)]
    if many > few:
        said += [fastest(threaded, many), falls(threaded, few, many),
                 thriftiest(threaded, many)]
    lines = "\n".join(f"<li>{s}</li>" for s in said if s)
    return (f'<h2 id="intro">What to conclude</h2>\n<ul>{lines}</ul>\n{READ}'
            if lines else "")
