/* memmapped.h - how much lies outside the range, and the most that ever did.
 *
 * Values only: no memory is published through them, so all orders are relaxed.
 * See memlib.c. */
#ifndef MEMMAPPED_H
#define MEMMAPPED_H

#include "count.h"
#include "memlib.h"

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

#endif
