"""trace_families_mt.py - the families of synthetic loads with threads.

They join those of trace_families.py when this is imported; each ends in -mt.
Threads drawn at random take a step in turn: one schedule of many.
"""
from collections import deque
from heapq import heappop, heappush

from trace_families import MIXED, STRUCT, PowerLaw, family

MESSAGE = PowerLaw(32, 8192, 0.8)


@family(160000)
def server_mt(t):
    """Eight connections' threads, each with an array of 500 objects of 10 to
    500 bytes, replace objects at random; now and then a thread ends and another
    takes its array over, so that blocks are freed far from their makers. After
    Larson and Krishnan, Memory Allocation for Long-Running Server Applications
    (ISMM 1998)."""
    threads, objects, tenure = 8, 500, 4000
    arrays = [[] for _ in range(threads)]
    left = [t.dice.between(1, tenure) for _ in arrays]
    while t.room(2):
        thread = t.dice.below(threads)
        mine = arrays[thread]
        if len(mine) == objects:
            t.free(t.dice.take(mine), thread)
        mine.append(t.malloc(t.dice.between(10, 500), thread))
        left[thread] -= 1
        if left[thread] == 0:
            other = (thread + 1) % threads
            arrays[thread], arrays[other] = arrays[other], mine
            left[thread] = tenure
    owner = {b: i for i, array_ in enumerate(arrays) for b in array_}
    t.free_rest(owner.get)


@family(160000)
def producer_consumer_mt(t):
    """Four producers make messages, four consumers free them, over queues of
    400: no block is ever freed by its maker, and a producer whose queue is full
    waits, in a replay too: message n has the id of message n - 400. A cache of
    freed blocks fills at one side and runs dry at the other. After Lever and
    Boreham, malloc() Performance in a Multithreaded Linux Environment (USENIX
    2000), and the blowup of Berger et al., Hoard (ASPLOS 2000)."""
    pairs, depth = 4, 400
    queues = [deque() for _ in range(pairs)]
    places = [deque([None] * depth) for _ in range(pairs)]
    while t.room(1):
        side = t.dice.below(2 * pairs)
        queue = queues[side % pairs]
        if side < pairs and len(queue) < depth:
            size, place = MESSAGE.draw(t.dice), places[side].popleft()
            queue.append(t.malloc(size, side, again=place))
        elif side >= pairs and queue:
            places[side - pairs].append(queue[0])
            t.free(queue.popleft(), side)
    owner = {b: pairs + i for i, q in enumerate(queues) for b in q}
    t.free_rest(owner.get)


@family(160000)
def thread_pool_mt(t):
    """A dispatcher makes tasks and their arguments; seven workers each take
    one, use scratch memory, let a result buffer grow by realloc, free the task
    that they did not make, and hand the result to the dispatcher, which frees
    it. The shape of a pool behind a web or render server."""
    workers, todo, done = 7, deque(), deque()
    jobs = [None] * (workers + 1)

    def dispatch():
        if done and (len(done) > 16 or t.dice.random() < 0.5):
            t.free(done.popleft(), 0)
        elif len(todo) < 64:
            todo.append((t.calloc(1, 96), t.malloc(MESSAGE.draw(t.dice))))

    def work(thread):
        job = jobs[thread]
        if job is None:
            if todo:
                jobs[thread] = [*todo.popleft(), t.malloc(256, thread), 256,
                                [], t.dice.between(4, 24)]
            return
        task, argument, result, size, scratch, steps = job
        if steps == 0:
            for block in (*reversed(scratch), argument, task):
                t.free(block, thread)
            done.append(result)
            jobs[thread] = None
        else:
            job[5] -= 1
            scratch.append(t.malloc(t.dice.pick(MIXED).draw(t.dice), thread))
            if t.dice.random() < 0.25:
                job[3] = size * 2
                t.realloc(result, job[3], thread)

    while t.room(40):
        thread = t.dice.below(workers + 3)
        if thread > workers or thread == 0:
            dispatch()
        else:
            work(thread)


@family(160000)
def phases_mt(t):
    """Eight threads take turns: one builds a large structure while the others
    only trickle, keeps it for a while, and drops most of it, the rest being
    dropped by the next thread. Memory that one thread freed must serve the next
    one, or the heap holds eight peaks instead of one. The ramps and plateaus of
    Wilson et al., Dynamic Storage Allocation: A Survey (1995), and the blowup
    of Berger et al., Hoard (ASPLOS 2000)."""
    threads, turns = 8, 16
    build = t.wanted * 4 // 10 // turns
    inherited = []
    for turn in range(turns):
        thread = turn % threads
        mine = []
        for i in range(build):
            mine.append(t.malloc(t.dice.pick(MIXED).draw(t.dice), thread))
            if i % 8 == 0:
                other = t.dice.below(threads)
                t.free(t.malloc(STRUCT.draw(t.dice), other), other)
            if inherited and i % 2 == 0:
                t.free(t.dice.take(inherited), thread)
        kept = build // 8
        while len(mine) > kept:
            t.free(mine.pop(0 if t.dice.below(8) else -1), thread)
        inherited += mine


@family(160000)
def lifetimes_mt(t):
    """Four threads whose blocks live for a power-law time: most die at once,
    some outlive almost everything, and a thread that sweeps frees those that
    have become old. Most objects die young: Barrett and Zorn, Using Lifetime
    Predictors (PLDI 1993); the long tail in servers: Maas et al.,
    Learning-based Memory Allocation for C++ Server Workloads (ASPLOS 2020)."""
    threads, old = 4, 4096
    lifetime = PowerLaw(1, 1 << 17, 0.9)
    deaths = []                 # heap of (operation, id, thread)
    while t.room(2):
        thread = t.dice.below(threads)
        life = lifetime.draw(t.dice)
        block = t.malloc(t.dice.pick(MIXED).draw(t.dice), thread)
        sweeper = threads if life > old else thread
        heappush(deaths, (len(t) + life, block, sweeper))
        while deaths and deaths[0][0] <= len(t):
            _, dead, by = heappop(deaths)
            t.free(dead, by)
    owner = {block: by for _, block, by in deaths}
    t.free_rest(owner.get)


@family(120000)
def powerlaw_mt(t):
    """Six threads with sizes from 8 B to 2 MiB, each octave two thirds as
    frequent as the one below, with every function of the family: malloc,
    calloc, memalign, realloc. One free in eight is another thread's. Sizes as
    in Zhou et al., Characterizing a Memory Allocator at Warehouse Scale (ASPLOS
    2024): the small ones are most of the calls, the large ones most of the
    bytes."""
    threads, room = 6, 12 << 20
    sizes = PowerLaw(8, 2 << 20, 0.66)
    blocks = [[] for _ in range(threads)]
    while t.room(1):
        thread, draw = t.dice.below(threads), t.dice.random()
        mine = blocks[thread]
        if mine and (t.bytes > room or draw < 0.40):
            at = t.dice.below(threads) if t.dice.below(8) == 0 else thread
            if blocks[at]:
                t.free(t.dice.take(blocks[at]), thread)
        elif mine and draw < 0.52:
            t.realloc(t.dice.pick(mine), sizes.draw(t.dice), thread)
        elif draw < 0.65:
            mine.append(t.calloc(sizes.draw(t.dice) // 8, 8, thread))
        elif draw < 0.70:
            align = 1 << t.dice.between(4, 12)
            mine.append(t.memalign(align, sizes.draw(t.dice), thread))
        else:
            mine.append(t.malloc(sizes.draw(t.dice), thread))
    owner = {b: i for i, mine in enumerate(blocks) for b in mine}
    t.free_rest(owner.get)
