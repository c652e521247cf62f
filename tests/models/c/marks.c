/* marks.c - mempart.h, and advance and fork_look of memlib.c: two threads move
 * the break, mapping what lies before it; one block each, or two. Units of 1
 * MiB: a page, a piece and a jump are one each.
 *
 * What the kernel knows is one word without any order of its own; that a page
 * is there is a plain word, written by the thread that mapped it.
 * FOREIGN: the second unit is another's. FORK: a child's first growth. */
#include "checked.h"

#include "mempart.h"

struct mem_range mem_range;

#define UNIT JUMP
#define UNITS 3
#define START ((char *)(16 * UNIT))
#define TAG_SIZE 4
#define GRAIN 4096

static struct {
    size_t page;
    struct part heap, records;
    void *levels;
    _Atomic uint32_t *fork_seen_flag;
} mem;
static _Atomic unsigned kernel; /* a bit for each unit that is mapped */
static int ours[UNITS], held[UNITS];
static _Atomic uint32_t fork_flag;

static unsigned bits_of(const char *at, size_t size)
{
    size_t first = (size_t)(at - START) / UNIT;
    assert(first + size / UNIT <= UNITS);
    return ((1u << size / UNIT) - 1) << first;
}

void *sys_mmap(void *at, size_t size, int protection, int flags)
{
    (void)protection;
    (void)flags;
    unsigned bits = bits_of(at, size);
    unsigned old = atomic_load_explicit(&kernel, memory_order_relaxed);
    do {
        if (old & bits) {
            errno = EEXIST;
            return MAP_FAILED;
        }
    } while (!atomic_compare_exchange_strong_explicit(
        &kernel, &old, old | bits, memory_order_relaxed, memory_order_relaxed));
    for (int i = 0; i < UNITS; i++)
        if (bits >> i & 1)
            ours[i] = 1;
    return at;
}

int sys_munmap(void *at, size_t size)
{
    (void)at;
    (void)size;
    assert(0 && "nothing is unmapped");
    return 0;
}

/* The page records' levels are another driver's (levels.c). */
static enum mapped levels_commit(void *levels, void *pages, size_t at,
                                 size_t end, size_t *next)
{
    (void)levels, (void)pages, (void)at, (void)end, (void)next;
    return MAPPED;
}

static void clear_suspect(struct part *part, size_t at, size_t size)
{
    (void)size;
#ifdef FORK
    assert(at < mark_get(&part->suspect));
#endif
    (void)part;
    (void)at;
}

static void holes_abandon(void)
{
}

static void was_refused(size_t size)
{
    (void)size;
}

#include "extracted_grow.h"

/* The growth of memlib.c: until the break is moved, or there is no memory. */
static void grow(size_t n)
{
    size_t old = mark_get(&mem.heap.brk), step = UNIT;
    int moved;
#ifdef FORK
    fork_look();
#endif
    do {
        moved = advance(&mem.heap, &old, n * UNIT, &step);
    } while (moved == 0);
    for (size_t i = 0; moved > 0 && i < n; i++) {
        size_t unit = old / UNIT + i;
        assert(ours[unit] && !held[unit]);
        held[unit] = 1;
    }
}

static void *one(void *unused)
{
    grow(1);
    return unused;
}

static void *two(void *unused)
{
    grow(1);
#ifdef MORE
    grow(1);
#endif
    return unused;
}

int main(void)
{
    body *const bodies[] = {one, two};
    mem.page = UNIT;
    part_init(&mem.heap, START, UNITS * UNIT, UNIT);
    mem.fork_seen_flag = &fork_flag;
#ifdef FOREIGN
    atomic_store_explicit(&kernel, 2, memory_order_relaxed);
#endif
#ifdef FORK
    mark_set(&mem.heap.intended, UNITS * UNIT);
#endif
    run_all(bodies, 2);
    return 0;
}
