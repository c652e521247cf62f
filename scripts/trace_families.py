"""trace_families.py - the families of synthetic loads with one thread.

A family is a function that fills a Trace with operations until there is no
room; what then lives is freed by the caller or by itself. Its text says what
it models and where that comes from. Sizes are bytes.
"""
from collections import namedtuple

Family = namedtuple("Family", "make ops")
FAMILIES = {}


def family(ops):
    """Register a function under its name, with its default length."""
    def register(make):
        FAMILIES[make.__name__.replace("_", "-")] = Family(make, ops)
        return make
    return register


class PowerLaw:
    """Sizes from low to high, a multiple of unit: uniform inside an octave,
    and each octave has ratio times the weight of the one below. The density
    falls as x ** -alpha with ratio == 2 ** (1 - alpha)."""

    def __init__(self, low, high, ratio, unit=1):
        self.unit = unit
        self.octaves = []       # (summed weight, first, last), in units
        first, last, weight, total = low // unit, high // unit, 1.0, 0.0
        while first <= last:
            end = min(2 * first - 1, last)
            total += weight * (end - first + 1) / first
            self.octaves.append((total, first, end))
            weight *= ratio
            first = end + 1

    def draw(self, dice):
        at = dice.random() * self.octaves[-1][0]
        for upto, first, last in self.octaves:
            if at < upto:
                break
        return dice.between(first, last) * self.unit


# The three kinds of data of the 213 generator: few shapes of structs, strings
# of text length, arrays that reach pages.
STRUCT = PowerLaw(8, 248, 1.25, unit=8)
STRING = PowerLaw(1, 255, 1.45)
ARRAY = PowerLaw(4, 25000, 1.0, unit=4)
MIXED = [STRUCT, STRING, ARRAY]


# ---- one thread: the classic malloc-lab families ---------------------------

@family(8000)
def random(t):
    """Sizes uniform up to 32 KiB, and random frees that become more frequent
    until all is freed. It is nothing that a program does; a policy that relies
    on order meets none here. After random-bal of the CS:APP malloc lab (Bryant
    and O'Hallaron, 2002)."""
    blocks = []
    while t.room(1):
        if not blocks or t.dice.random() > 0.7 * t.progress + 0.05:
            blocks.append(t.malloc(t.dice.between(1, 32768)))
        else:
            t.free(t.dice.take(blocks))


def binary_with(t, small, large, larger):
    n = t.wanted // 6
    small, large, larger = t.near(small), t.near(large), t.near(larger - large)
    larger += large
    pairs = [(t.malloc(small), t.malloc(large)) for _ in range(n)]
    for _, block in pairs:
        t.free(block)
    for _ in range(n):
        t.malloc(larger)


@family(24000)
def binary(t):
    """Small and large blocks in turn; the large ones go, and slightly larger
    ones come, which fit no hole unless small and large blocks were kept apart.
    After binary-bal of the CS:APP malloc lab (2002)."""
    binary_with(t, 64, 448, 512)


@family(24000)
def binary2(t):
    """As binary, with blocks near the smallest that there are, where a header
    weighs most. After binary2-bal of the CS:APP malloc lab (2002)."""
    binary_with(t, 16, 112, 128)


@family(24000)
def coalescing(t):
    """Two blocks side by side go, and one comes that needs the place of both:
    an allocator that merges late or never grows without end. After
    coalescing-bal of the CS:APP malloc lab (2002)."""
    size = t.near(4095)
    while t.room(6):
        pair = t.malloc(size), t.malloc(size)
        for block in pair:
            t.free(block)
        t.free(t.malloc(2 * size))


def growing(t, size, step, small):
    """A block grows, and each time a small one settles right behind it."""
    size, step, small = t.near(size), t.near(step), t.near(small)
    block, behind = t.malloc(size), t.malloc(small)
    while t.room(3):
        size += step
        t.realloc(block, size)
        new = t.malloc(small)
        t.free(behind)
        behind = new


@family(15000)
def realloc(t):
    """A block that grows by a line at a time, while small blocks come and go
    behind it: a log or a text buffer. After realloc-bal of the CS:APP malloc
    lab (2002)."""
    growing(t, 512, 128, 128)


@family(15000)
def realloc2(t):
    """A page that grows by a few bytes at a time past small blocks. After
    realloc2-bal of the CS:APP malloc lab (2002)."""
    growing(t, 4092, 5, 16)


# ---- one thread: after the generator of CMU 15-213, 2016 -------------------

def rising_frees(t, kinds, reallocs=0.0):
    """Each block is of one kind; frees pick any live block, at odds against
    allocations that rise from 0 to almost 2, so that the heap fills in the
    first half and drains in the second."""
    kind_of = {}
    blocks = []
    while t.room(1):
        odds = 3.7 * t.progress / (1 + 0.95 * t.progress)
        if blocks and t.dice.random() < reallocs:
            block = t.dice.pick(blocks)
            t.realloc(block, kind_of[block].draw(t.dice))
        elif not blocks or t.dice.random() * (1 + odds) < 1:
            kind = t.dice.pick(kinds)
            blocks.append(t.malloc(kind.draw(t.dice)))
            kind_of[blocks[-1]] = kind
        else:
            t.free(t.dice.take(blocks))


@family(60000)
def array(t):
    """Arrays of 4-byte elements, power-law lengths up to 25 kB. After the
    synthetic traces of the CMU 15-213 malloc lab (2016)."""
    rising_frees(t, [ARRAY])


@family(60000)
def string(t):
    """Strings of 1 to 255 characters, all lengths. After the synthetic traces
    of the CMU 15-213 malloc lab (2016)."""
    rising_frees(t, [STRING])


@family(60000)
def struct(t):
    """Structs of 1 to 31 words, the small ones most often. After the synthetic
    traces of the CMU 15-213 malloc lab (2016)."""
    rising_frees(t, [STRUCT])


@family(60000)
def mixed(t):
    """Arrays, strings and structs together, a third each. After the synthetic
    traces of the CMU 15-213 malloc lab (2016)."""
    rising_frees(t, MIXED)


@family(60000)
def mixed_realloc(t):
    """As mixed, and every third operation resizes a block to another size of
    its kind. After the synthetic traces of the CMU 15-213 malloc lab (2016)."""
    rising_frees(t, MIXED, reallocs=0.33)
