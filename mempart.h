/* mempart.h - marks that only rise, and the part of memory that they divide.
 *
 * Any thread may raise a mark at any time, by compare-and-swap; none waits for
 * another. See memlib.c. */
#ifndef MEMPART_H
#define MEMPART_H

#include "mm/count.h"

#include <stdatomic.h>

/* A part of the reservation whose pages become accessible from the left. */
struct part {
    char *start, *limit;
    _Atomic(char *) committed;
    _Atomic(char *) intended;
    _Atomic(char *) suspect; /* below it, bytes may not be zero */
};

/* Compare and swap; a failure says what is there. */
static inline bool swap(_Atomic(char *) *word, char **old, char *new)
{
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        word, old, new, memory_order_relaxed, memory_order_relaxed);
}

/* Raise a mark to at least value. */
static inline void raise_mark(_Atomic(char *) *mark, char *value)
{
    char *old = atomic_load_explicit(mark, memory_order_relaxed);
    while (old < value && !swap(mark, &old, value))
        ;
}

static inline void part_init(struct part *part, char *start, size_t size)
{
    part->start = start;
    part->limit = start + size;
    atomic_store_explicit(&part->committed, start, memory_order_relaxed);
    atomic_store_explicit(&part->intended, start, memory_order_relaxed);
    atomic_store_explicit(&part->suspect, start, memory_order_relaxed);
}

#endif
