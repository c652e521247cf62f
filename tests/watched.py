"""watched.py - what a page of --watch holds, and what the trace says."""
import json
import random
import re

LIVE, FREE, CACHED, SENT, OWN, UNTOLD = range(6)
PIECE = 8
AT, SIZE, HEAD, ASKED, STATE, OWNER, ID, LIST = range(PIECE)


def trace_text(ops, threads=1):
    """ops: (thread, kind, id, size); size None for a free."""
    ids = 1 + max(op[2] for op in ops)
    lines = ["mmtrace 1", f"ids {ids}", f"ops {len(ops)}"]
    if threads > 1:
        lines.append(f"threads {threads}")
    now = 0
    for thread, kind, one, size in ops:
        if thread != now:
            lines.append(f"@{thread}")
            now = thread
        lines.append(f"{kind} {one}" + ("" if size is None else f" {size}"))
    return "\n".join(lines) + "\n"


def made_trace(nops, seed, threads=1, live=60):
    """A random one: small blocks above all, some resized, freed by any."""
    rng = random.Random(seed)
    ops, alive, ids = [], [], 0
    while len(ops) < nops:
        thread = rng.randrange(threads)
        if len(alive) >= live or (alive and rng.random() < 0.35):
            at = rng.randrange(len(alive))
            if rng.random() < 0.2:
                ops.append((thread, "r", alive[at], rng.randrange(1, 900)))
            else:
                ops.append((thread, "f", alive.pop(at), None))
        else:
            size = rng.choice([16, 32, 48, 100, 500, rng.randrange(1, 9000)])
            ops.append((thread, "a", ids, size))
            alive.append(ids)
            ids += 1
    return ops


def data_of(page):
    text = page.read_text()
    return json.loads(re.search(
        r'<script type="application/json" id="data">(.*?)</script>', text,
        re.S)[1])


def frames(heap):
    """Each (ops, payload, heap, its pieces by address)."""
    pieces = {}
    for ops, payload, size, gone, fresh in heap["frames"]:
        for at in gone:
            del pieces[at]
        for i in range(0, len(fresh), PIECE):
            pieces[fresh[i]] = fresh[i:i + PIECE]
        yield ops, payload, size, pieces


def live_after(ops):
    """For each number of operations done, {id: size}."""
    alive = {}
    yield alive
    for _, kind, one, size in ops:
        if kind == "f":
            del alive[one]
        else:
            alive[one] = size
        yield alive


def check_frames(heap, ops):
    """Every frame has the trace's live blocks, and pieces in order."""
    told = live_after(ops)
    now, alive = 0, next(told)
    for done, payload, size, pieces in frames(heap):
        while now < done:
            now, alive = now + 1, next(told)
        found = {p[ID]: p[ASKED] for p in pieces.values() if p[STATE] == LIVE}
        assert found == alive, (heap["allocator"], done, found, alive)
        assert payload == sum(alive.values()), (done, payload)
        end = None
        for at in sorted(pieces):
            p = pieces[at]
            assert p[SIZE] > 0 and p[HEAD] + p[ASKED] <= p[SIZE], p
            assert end is None or end <= at, (heap["allocator"], done, p)
            end = at + p[SIZE]
            assert p[STATE] in (LIVE, OWN, UNTOLD) or heap["tells"], p
    assert now == len(ops), (now, len(ops))
