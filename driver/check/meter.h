/* meter.h - the two peaks that utilization is made of.
 *
 *   payload  the sum of the sizes asked for of all live blocks of all threads:
 *            one atomic sum, so its maximum is exact in whatever order the
 *            threads' operations came
 *   heap     what the allocator says it has from the system. One that keeps
 *            its own peak is asked once, at the end. Another (libc) is asked
 *            whenever the payload's peak has grown by 1/256, when a replay
 *            tells it to, and at the end: its stats are slow
 *
 * Any function may be called by any thread. */
#ifndef DRIVER_METER_H
#define DRIVER_METER_H

#include "mm.h"
#include <stdatomic.h>

struct meter {
    const struct mm_allocator *a;
    _Atomic size_t payload, peak_payload;
    _Atomic size_t peak_heap;
    _Atomic size_t next; /* payload at which to sample; SIZE_MAX: never */
};

/** A peak is at least this value from now on. */
static inline void meter_raise(_Atomic size_t *peak, size_t value)
{
    size_t old = atomic_load_explicit(peak, memory_order_relaxed);
    while (old < value &&
           !atomic_compare_exchange_weak_explicit(
               peak, &old, value, memory_order_relaxed, memory_order_relaxed))
        ;
}

/** Bytes more, or fewer, of live payload. */
void meter_grows(struct meter *m, size_t size);
void meter_shrinks(struct meter *m, size_t size);
/** Sample the heap now, unless the allocator keeps its own peak. */
void meter_sample(struct meter *m);

size_t meter_payload(const struct meter *m);
size_t meter_peak_payload(const struct meter *m);
size_t meter_peak_heap(struct meter *m);

#endif
