/* holes.c - memhole.h: addresses that are given back, joined, and had again by
 * whoever comes first. Three units of the heap; a page is one each. One thread
 * gives one back, another the one behind it, and takes two; with THREE a third
 * takes one. That a unit is in use is a plain word of the thread that has it.
 *
 * What the kernel knows is one word without any order of its own. AHEAD: all is
 * a hole, of which one thread takes two units, another one: what is mapped
 * ahead stays in it. CHILD: two threads of a fork's child find a hole of its
 * parent, and abandon it; one gives a unit back, the other gives and takes one.
 */
#include "checked.h"

#include "memhole.h"

struct mem_range mem_range;

#define UNIT JUMP
#define UNITS 3
#define START ((char *)(16 * UNIT))

#ifdef CHILD
#define IN_CHILD 1
#else
#define IN_CHILD 0
#endif

static struct part heap;
static _Atomic unsigned kernel; /* a bit for each unit that is mapped */
static int held[UNITS];

static unsigned bits_of(const char *at, size_t size)
{
    size_t first = (size_t)(at - START) / UNIT;
    assert(first + size / UNIT <= UNITS);
    return ((1u << size / UNIT) - 1) << first;
}

void *sys_mmap(void *at, size_t size, int protection, int flags)
{
    unsigned bits = bits_of(at, size);
    (void)protection, (void)flags;
    if (atomic_fetch_or_explicit(&kernel, bits, memory_order_relaxed) & bits) {
        assert(0 && "nothing of others is in a hole");
        errno = EEXIST;
        return MAP_FAILED;
    }
    return at;
}

int sys_munmap(void *at, size_t size)
{
    unsigned bits = bits_of(at, size);
    unsigned old =
        atomic_fetch_and_explicit(&kernel, ~bits, memory_order_relaxed);
    assert((old & bits) == bits);
    return 0;
}

static void hold(size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++) {
        assert(!held[i]);
        held[i] = 1;
    }
}

static bool give(size_t first, size_t n)
{
    for (size_t i = first; i < first + n; i++)
        held[i] = 0;
    bool gone = hole_open(&heap, first * UNIT, n * UNIT, UNIT);
    if (!gone)
        hold(first, n);
    return gone;
}

/* Some units, anywhere. */
static void take(size_t n)
{
    size_t size = n * UNIT;
    char *p = holes_any() ? hole_take(&heap, 0, &size, UNIT) : NULL;
    if (p)
        hold((size_t)(p - START) / UNIT, size / UNIT);
}

/* What memlib.c's fork_look does for it. */
static void look(void)
{
#ifdef CHILD
    static _Atomic int seen;
    if (atomic_load_explicit(&seen, memory_order_acquire))
        return;
    holes_abandon();
    atomic_store_explicit(&seen, 1, memory_order_release);
#endif
}

static void *give_back(void *unused)
{
    look();
    give(1, 1);
    return unused;
}

static void *take_one(void *unused)
{
    take(1);
    return unused;
}

#ifdef AHEAD
static void *give_and_take(void *unused)
{
    take(1);
    take(1);
    return unused;
}
#else
static void *give_and_take(void *unused)
{
    look();
    give(2, 1);
    take(UNITS - 1 - IN_CHILD);
    return unused;
}
#endif

/* What is in a hole is nobody's, and only what it says is mapped. */
static void check_holes(void)
{
    unsigned mapped = 0, n = 0;
    for (size_t i = 0; i < HOLES; i++) {
        uint64_t word = hole_get(&holes.words[i]);
        size_t first = word & 0xffffff, pages = word >> 24 & 0xffffff;
        size_t ahead = word >> 48 & HOLE_MAPPED_MOST;
        n += word != 0;
        for (size_t at = first; at < first + pages; at++)
            if (!(word & HOLE_BUSY)) {
                assert(!held[at]);
                mapped |= at < first + ahead ? 1u << at : 0;
                held[at] = 2;
            }
    }
    assert(n == holes.n);
    for (size_t at = 0; at < UNITS; at++)
        mapped |= held[at] == 1 ? 1u << at : 0;
    assert(mapped == kernel);
    for (size_t at = 0; at < UNITS; at++)
        assert((IN_CHILD || held[at]) && "no unit is lost");
    assert(!IN_CHILD || !held[0]);
}

int main(void)
{
    body *const bodies[] = {give_back, give_and_take, take_one};
    part_init(&heap, START, UNITS * UNIT, UNIT);
    atomic_store_explicit(&kernel, 7, memory_order_relaxed);
    hold(0, UNITS);
#if defined CHILD
    give(0, 1);
    run_all(bodies, 2);
#elif defined AHEAD
    give(0, UNITS);
    run_all(&bodies[1], 2);
#elif defined THREE
    run_all(bodies, 3);
#else
    run_all(bodies, 2);
#endif
    check_holes();
    return 0;
}
