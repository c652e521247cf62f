/* latency.h - a histogram of how long single operations took.
 *
 * Log-linear buckets: each power of two is cut into LATENCY_SUB equal parts,
 * so a value is known to within 1/LATENCY_SUB of itself at every magnitude.
 *
 *   ticks  0 1 2 ... 63 | 64 65 ... 127 | 128 130 ... 254 | 256 260 ... | ...
 *          width 1      | width 1       | width 2         | width 4     |
 */
#ifndef DRIVER_LATENCY_H
#define DRIVER_LATENCY_H

#include <stddef.h>
#include <stdint.h>

#define LATENCY_SUB_BITS 6
#define LATENCY_SUB (1u << LATENCY_SUB_BITS)
#define LATENCY_MAX_BITS 40 /* ticks; minutes at any clock rate in use */
#define LATENCY_BUCKETS                                                        \
    ((LATENCY_MAX_BITS - LATENCY_SUB_BITS + 1) * LATENCY_SUB)

enum latency_kind {
    LATENCY_MALLOC, /* malloc, calloc, memalign */
    LATENCY_FREE,
    LATENCY_REALLOC,
    LATENCY_KINDS
};

struct histogram {
    uint64_t count, max; /* max in ticks */
    uint64_t bucket[LATENCY_BUCKETS];
};

struct latency {
    struct histogram kind[LATENCY_KINDS];
};

/** What is printed of a histogram; nanoseconds. */
struct percentiles {
    uint64_t count;
    double p50, p99, p999, p9999, max;
};

static inline unsigned latency_bucket(uint64_t ticks)
{
    if (ticks < 2 * LATENCY_SUB)
        return (unsigned)ticks;
    unsigned shift = 63 - (unsigned)__builtin_clzll(ticks) - LATENCY_SUB_BITS;
    unsigned b = shift * LATENCY_SUB + (unsigned)(ticks >> shift);
    return b < LATENCY_BUCKETS ? b : LATENCY_BUCKETS - 1;
}

static inline void latency_add(struct histogram *h, uint64_t ticks)
{
    h->bucket[latency_bucket(ticks)]++;
    h->count++;
    if (ticks > h->max)
        h->max = ticks;
}

/** The largest number of ticks that falls into a bucket. */
uint64_t latency_bucket_top(unsigned bucket);
void latency_merge(struct latency *into, const struct latency *from);
/** @param ns  nanoseconds per tick. */
struct percentiles latency_percentiles(const struct histogram *h, double ns);
/** "malloc", "free", "realloc". */
const char *latency_name(enum latency_kind kind);

#endif
