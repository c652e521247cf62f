/* thp.c - memthp.h: bits of huge pages that are small. Two threads have a part
 * each of page 0, which goes back: it is to be small. A third has all of page
 * 1, whose bit lies in the same word: it is to be huge again. Who gets all of
 * page 0 from the two makes it huge, too.
 *
 * What the kernel was told of a page is a word without any order. */
#include "checked.h"

#define count_rmw() ((void)0)
#define HUGE ((uintptr_t)1 << 21)
#define START (4 * HUGE)
#define PART (HUGE / 2)
#define MADV_NOHUGEPAGE 1
#define MADV_HUGEPAGE 2
#define THP_SPLIT 8
#define THP_SPLITS 4

static struct {
    uintptr_t start, border;
    size_t small, page;
    _Atomic uint64_t bits[1];
    _Atomic uint32_t nsmall;
} thp = {.start = START, .border = START, .small = 4096, .page = HUGE};
static _Atomic int told[2];
static _Atomic int given[2];

static int sys_madvise(void *at, size_t size, int advice)
{
    size_t first = ((uintptr_t)at - START) / HUGE;
    for (size_t i = first; i < first + size / HUGE; i++)
        atomic_store_explicit(&told[i], advice, memory_order_relaxed);
    return 0;
}

#include "extracted_thp.h"

static void *part(void *n)
{
    bool goes = thp_split(START + (uintptr_t)n * PART, PART);
    assert(goes && thp_is_small(START));
    atomic_store_explicit(&given[(intptr_t)n], 1, memory_order_release);
    return NULL;
}

static void *whole(void *unused)
{
    thp_join(START + HUGE, START + 2 * HUGE);
    if (atomic_load_explicit(&given[0], memory_order_acquire) &&
        atomic_load_explicit(&given[1], memory_order_acquire)) {
        thp_join(START, START + HUGE);
        assert(!thp_is_small(START));
        atomic_store_explicit(&given[0], 0, memory_order_relaxed);
    }
    return unused;
}

int main(void)
{
    body *const bodies[] = {part, part, whole};
    thp_set_small(START + HUGE, true);
    run_all(bodies, 3);
    bool small = atomic_load_explicit(&given[0], memory_order_relaxed);
    assert(thp_is_small(START) == small && !thp_is_small(START + HUGE));
    assert(told[0] == (small ? MADV_NOHUGEPAGE : MADV_HUGEPAGE));
    assert(told[1] == MADV_HUGEPAGE && thp.nsmall == small);
    return 0;
}
