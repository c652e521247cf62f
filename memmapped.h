/* memmapped.h - what lies outside the range: how much, and the most that ever
 * did.
 *
 * Values only: no memory is published through them, so all orders are relaxed.
 * See memlib.c. */
#ifndef MEMMAPPED_H
#define MEMMAPPED_H

#include "count.h"
#include "memsys.h"

#include <stdatomic.h>

struct mapped_sum {
    _Atomic size_t now, most;
};

static struct mapped_sum mapped_bytes, mapped_regions;

static inline size_t sum_get(_Atomic size_t *sum)
{
    return atomic_load_explicit(sum, memory_order_relaxed);
}

/* more, or SIZE_MAX - n + 1 for n less. The most is exact: it is raised by the
 * thread whose addition reached it. */
static inline void sum_add(struct mapped_sum *sum, size_t more)
{
    count_rmw();
    size_t now =
        more + atomic_fetch_add_explicit(&sum->now, more, memory_order_relaxed);
    size_t most = sum_get(&sum->most);
    while (most < now && !atomic_compare_exchange_weak_explicit(
                             &sum->most, &most, now, memory_order_relaxed,
                             memory_order_relaxed))
        ;
}

/* A region of old bytes has new ones; 0 for none. */
static inline void mapped_add(size_t old, size_t new)
{
    sum_add(&mapped_bytes, new - old);
    if (!old || !new)
        sum_add(&mapped_regions, old ? (size_t)-1 : 1);
}

/* A core dump holds the whole of a mapping of which one page was touched. The
 * kernel makes one mapping of two neighbours unless their flags differ: so
 * little ones, the records of large blocks among them, which are written at
 * once, have a flag that large ones lack. */
#define LITTLE ((size_t)1 << 20)

/* Whole pages anywhere, at a multiple of slack if that is not 0. NULL: none */
static inline char *map_aligned(size_t bytes, size_t slack)
{
    char *p = sys_mmap(NULL, bytes + slack, PROT_READ | PROT_WRITE,
                       bytes < LITTLE ? MAP_NORESERVE : 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t lead = slack ? -(uintptr_t)p & (slack - 1) : 0;
    if (lead)
        sys_munmap(p, lead);
    if (slack > lead)
        sys_munmap(p + lead + bytes, slack - lead);
    return p + lead;
}

#endif
