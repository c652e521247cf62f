/* tally.h - bytes that all threads hold together, and the most there were.
 *
 * Values only: no memory is published through them, so all orders are relaxed.
 * The peak is exact: it is raised by the thread whose addition reached it. */
#ifndef DESIGNS_TALLY_H
#define DESIGNS_TALLY_H

#include <stdatomic.h>
#include <stddef.h>

struct tally {
    _Atomic size_t now, peak;
};

/** Add bytes; SIZE_MAX - n + 1 subtracts n. */
static inline void tally_add(struct tally *t, size_t bytes)
{
    size_t now =
        bytes + atomic_fetch_add_explicit(&t->now, bytes, memory_order_relaxed);
    size_t peak = atomic_load_explicit(&t->peak, memory_order_relaxed);
    while (peak < now && !atomic_compare_exchange_weak_explicit(
                             &t->peak, &peak, now, memory_order_relaxed,
                             memory_order_relaxed))
        ;
}

static inline size_t tally_now(const struct tally *t)
{
    return atomic_load_explicit(&t->now, memory_order_relaxed);
}

static inline size_t tally_peak(const struct tally *t)
{
    return atomic_load_explicit(&t->peak, memory_order_relaxed);
}

/** @pre no other thread adds. */
static inline void tally_reset(struct tally *t)
{
    atomic_store_explicit(&t->now, 0, memory_order_relaxed);
    atomic_store_explicit(&t->peak, 0, memory_order_relaxed);
}

#endif
