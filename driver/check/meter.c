/* meter.c - see meter.h. */
#include "driver/check/meter.h"

#include <stdint.h>

#define SAMPLE_GROWTH 256

static void sample(struct meter *m)
{
    struct mm_stats stats = {0};
    m->a->stats(&stats);
    if (stats.heap_peak)
        atomic_store_explicit(&m->next, SIZE_MAX, memory_order_relaxed);
    meter_raise(&m->peak_heap, stats.heap_peak ? stats.heap_peak : stats.heap);
}

void meter_sample(struct meter *m)
{
    if (atomic_load_explicit(&m->next, memory_order_relaxed) != SIZE_MAX)
        sample(m);
}

void meter_grows(struct meter *m, size_t size)
{
    size_t now = size + atomic_fetch_add_explicit(&m->payload, size,
                                                  memory_order_relaxed);
    if (now <= atomic_load_explicit(&m->peak_payload, memory_order_relaxed))
        return;
    meter_raise(&m->peak_payload, now);
    size_t next = atomic_load_explicit(&m->next, memory_order_relaxed);
    if (now >= next && atomic_compare_exchange_strong_explicit(
                           &m->next, &next, now + now / SAMPLE_GROWTH,
                           memory_order_relaxed, memory_order_relaxed))
        sample(m);
}

void meter_shrinks(struct meter *m, size_t size)
{
    atomic_fetch_sub_explicit(&m->payload, size, memory_order_relaxed);
}

size_t meter_payload(const struct meter *m)
{
    return atomic_load_explicit(&m->payload, memory_order_relaxed);
}

size_t meter_peak_payload(const struct meter *m)
{
    return atomic_load_explicit(&m->peak_payload, memory_order_relaxed);
}

size_t meter_peak_heap(struct meter *m)
{
    sample(m);
    return atomic_load_explicit(&m->peak_heap, memory_order_relaxed);
}
