"""trace_events.py - what other tools wrote of a program's malloc, as events.

Each reader takes a whole file and yields Events in the order of its lines, or
raises Bad with a line and what is wrong there. A block is named by `at`: its
address, or whatever else names it in that file, until it is freed.

    format        made by                                       threads
    mtrace        glibc's mtrace(3)                              not told
    ltrace        ltrace -f -e malloc+free+...                   its pids
    perf          perf probe on libc's malloc, perf script       its tids
    heaptrack     heaptrack, zstd or gz, interpreted             not told
    malloc-bench  protobuf of ClaytonKnittel/malloc-bench        not told
    csv           a table: op,thread,id,size[,align][,n]         its column
"""
import csv
import gzip
import re
import subprocess
from collections import namedtuple

# kind: a c m r f, as in our traces; new, old: names of blocks, None: no block;
# sizes: what follows the id in our traces.
Event = namedtuple("Event", "thread kind new old sizes")


class Bad(ValueError):
    """A line that is not as its format wants it."""

    def __init__(self, line, found, expected):
        super().__init__(f"{line}: found {found[:60]!r}, expected {expected}")


def read_bytes(path):
    """The file, unpacked if it is zstd's or gzip's."""
    with open(path, "rb") as file:
        data = file.read()
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return subprocess.run(["zstd", "-qdc", path], check=True,
                              stdout=subprocess.PIPE).stdout
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def numbered(data):
    return enumerate(data.decode("utf-8", "replace").splitlines(), 1)


def block(name):
    """An address as C's %p prints it; None: NULL."""
    return None if name == "(nil)" else int(name, 16) or None


# ---- mtrace ----------------------------------------------------------------

ADDRESS = r"(0x[0-9a-f]+|\(nil\))"
MTRACE = re.compile(r"@ .*?([-+<>!]) " + ADDRESS +
                    r"(?: (0x[0-9a-f]+|0))?$")


def read_mtrace(data):
    old = None  # of a realloc, whose two lines follow each other
    for n, line in numbered(data):
        found = MTRACE.match(line)
        if line.startswith("=") or not line.strip():
            continue
        if not found:
            raise Bad(n, line, "'@ CALLER + ADDRESS SIZE' as mtrace(3) writes")
        sign, at, size = found.groups()
        if (size is None) != (sign in "-<"):
            raise Bad(n, line, "a size behind +, > and !, none behind - and <")
        if sign == "+":
            yield Event(0, "a", block(at), None, (int(size, 16),))
        elif sign == "-":
            yield Event(0, "f", None, block(at), ())
        elif sign == "<":
            old = block(at)
        elif sign == ">":
            yield Event(0, "r", block(at), old, (int(size, 16),))


# ---- calls as text ---------------------------------------------------------

def call_event(thread, name, args, result, line, n):
    """The event of one call, NULL if it failed; None: of no interest."""
    try:
        v = [int(a, 0) for a in args]
        if name in ("free", "cfree"):
            return Event(thread, "f", None, v[0] or None, ())
        if name == "malloc":
            return Event(thread, "a", result, None, (v[0],))
        if name == "calloc":
            return Event(thread, "c", result, None, (v[0], v[1]))
        if name == "realloc":
            return Event(thread, "r", result, v[0] or None, (v[1],))
        if name == "reallocarray":
            return Event(thread, "r", result, v[0] or None, (v[1] * v[2],))
        if name in ("memalign", "aligned_alloc"):
            return Event(thread, "m", result, None, (v[0], v[1]))
    except (IndexError, ValueError):
        raise Bad(n, line, f"{name} with its arguments as numbers") from None
    return None


CALL = r"(malloc|calloc|realloc|reallocarray|free|cfree|memalign|aligned_alloc)"
LTRACE = re.compile(
    r"(?:\[pid +(\d+)\]|(\d+))?\s*(?:[\d:.]+ +)?(?:\S+->)?"
    r"(?:<\.\.\. )?" + CALL + r"(\(| resumed> *)([^)<]*)(.*)$")


def read_ltrace(data):
    begun = {}  # (thread, function) -> arguments of a call that goes on later
    for n, line in numbered(data):
        found = LTRACE.match(line)
        if not found:
            continue  # other functions, signals, exits
        pid, pid2, name, how, args, rest = found.groups()
        thread = int(pid or pid2 or 0)
        args = [a.strip() for a in args.split(",") if a.strip()]
        if "resumed" in how:
            args = begun.pop((thread, name), []) + args
        if "<unfinished" in rest:
            begun[thread, name] = args
            continue
        result = rest.rpartition("=")[2].strip()
        if "=" not in rest:
            raise Bad(n, line, "a call with ' = RESULT' behind it")
        at = int(result, 0) or None if result[:1].isdigit() else None
        event = call_event(thread, name, args, at, line, n)
        if event:
            yield event


PERF = re.compile(r"\s*\S.*?\s(\d+)\s+(?:\[\d+\]\s+)?[\d.]+:\s+\w+:" + CALL +
                  r"(?:_\d+)?(__return)?(?:_\d+)?:\s+\([^)]*\)(.*)$")


def read_perf(data):
    begun = {}
    for n, line in numbered(data):
        found = PERF.match(line)
        if not found:
            continue
        tid, name, is_return, rest = found.groups()
        values = re.findall(r"\w+=(\w+)", rest)
        if is_return and (tid, name) not in begun:
            continue  # the recording began inside the call
        if name in ("free", "cfree"):
            yield call_event(int(tid), name, values, None, line, n)
        elif not is_return:
            begun[tid, name] = values
        elif not values:
            raise Bad(n, line, "the value that is returned: "
                      "perf probe 'malloc%return ret=$retval'")
        else:
            yield call_event(int(tid), name, begun.pop((tid, name)),
                             int(values[0], 0) or None, line, n)


# ---- heaptrack -------------------------------------------------------------

def read_heaptrack(data):
    """Interpreted files name no address: + and - name a size and a place in
    the program. Of the blocks that share both, the newest is freed."""
    sizes, live, made = [], {}, 0
    for n, line in numbered(data):
        word = line.split()
        try:
            if word[:1] == ["v"] and int(word[2], 16) < 1:
                raise Bad(n, line, "a file of heaptrack 1.0 or newer")
            if word[:1] == ["a"]:
                sizes.append(int(word[1], 16))
            elif word[:1] == ["+"] and len(word) == 2:
                kind = int(word[1], 16)
                live.setdefault(kind, []).append(made)
                yield Event(0, "a", made, None, (sizes[kind],))
                made += 1
            elif word[:1] == ["-"]:
                its = live.get(int(word[1], 16))
                yield Event(0, "f", None, its.pop() if its else -1, ())
            elif word[:1] == ["+"]:
                raise Bad(n, line, "an interpreted file: "
                          "heaptrack --interpret, or heaptrack without --raw")
        except (IndexError, ValueError) as what:
            if isinstance(what, Bad):
                raise
            raise Bad(n, line, "a line of heaptrack") from None


# ---- malloc-bench ----------------------------------------------------------

def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7f) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Numbers and parts of a protobuf message: (field, int or bytes)."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            if at + value > len(data):
                raise IndexError
            value, at = data[at:at + value], at + value
        elif key & 7 != 0:
            raise IndexError
        yield key >> 3, value


def read_malloc_bench(data):
    kinds = {1: "a", 2: "f", 3: "r", 4: "c"}
    try:
        for n, (field, part) in enumerate(fields(data), 1):
            if field != 1:
                continue
            (op, call), = fields(part)
            v, kind = dict(fields(call)), kinds[op]
            if kind == "f":
                yield Event(0, "f", None, v.get(1), ())
            elif kind == "r":
                yield Event(0, "r", v.get(1), v.get(2), (v.get(3, 0),))
            else:
                yield Event(0, kind, v.get(1), None,
                            (v.get(2, 0), v.get(3, 0))[:1 + (kind == "c")])
    except (IndexError, KeyError, ValueError, AttributeError, TypeError):
        raise Bad(0, "other bytes", "a Tracefile message of malloc-bench") \
            from None


# ---- CSV -------------------------------------------------------------------

LETTERS = {"malloc": "a", "calloc": "c", "realloc": "r", "free": "f",
           "memalign": "m"}


def csv_sizes(kind, row):
    names = {"a": ["size"], "c": ["n", "size"], "r": ["size"], "f": [],
             "m": ["align", "size"]}[kind]
    return tuple(int(row.get(name) or "") for name in names)


def read_csv(data):
    lines = data.decode("utf-8", "replace").splitlines()
    rows = csv.DictReader(lines)
    for row in rows:
        n, text = rows.line_num, ",".join(str(v) for v in row.values())
        kind = LETTERS.get(row["op"], row["op"])
        if kind not in ("a", "c", "r", "f", "m"):
            raise Bad(n, row["op"], "malloc, calloc, realloc, memalign or free")
        try:
            sizes, thread = csv_sizes(kind, row), int(row.get("thread") or 0)
        except ValueError:
            raise Bad(n, text, "numbers in the columns of this operation") \
                from None
        at = row["id"]
        is_old = kind in "rf" and at not in ("", "-1")
        yield Event(thread, kind, None if kind == "f" else at,
                    at if is_old else None, sizes)


# ---- which one? ------------------------------------------------------------

READERS = {"mtrace": read_mtrace, "ltrace": read_ltrace, "perf": read_perf,
           "heaptrack": read_heaptrack, "malloc-bench": read_malloc_bench,
           "csv": read_csv}


def guess(data):
    """The name of the format that the first lines are in; None: none of them."""
    head = [line for _, line in numbered(data[:1 << 16])][:200]
    first = head[0] if head else ""
    if first.startswith("= Start"):
        return "mtrace"
    if re.match(r"v [0-9a-f]+ [0-9a-f]+$", first):
        return "heaptrack"
    if {"op", "id"} <= set(first.split(",")):
        return "csv"
    if any(PERF.match(line) for line in head):
        return "perf"
    if any(LTRACE.match(line) for line in head):
        return "ltrace"
    return "malloc-bench" if data[:1] == b"\x0a" else None
