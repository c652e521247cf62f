/* latency.c - see latency.h. */
#include "driver/base/latency.h"

uint64_t latency_bucket_top(unsigned bucket)
{
    if (bucket < 2 * LATENCY_SUB)
        return bucket;
    unsigned shift = bucket / LATENCY_SUB - 1;
    uint64_t first = bucket - (uint64_t)shift * LATENCY_SUB;
    return ((first + 1) << shift) - 1;
}

static void merge(struct histogram *into, const struct histogram *from)
{
    for (unsigned b = 0; b < LATENCY_BUCKETS; b++)
        into->bucket[b] += from->bucket[b];
    into->count += from->count;
    if (from->max > into->max)
        into->max = from->max;
}

void latency_merge(struct latency *into, const struct latency *from)
{
    for (int k = 0; k < LATENCY_KINDS; k++)
        merge(&into->kind[k], &from->kind[k]);
}

/* The smallest value that at least `per_myriad` of 10000 do not exceed. */
static uint64_t percentile(const struct histogram *h, uint64_t per_myriad)
{
    uint64_t seen = 0, want = (h->count * per_myriad + 9999) / 10000;
    for (unsigned b = 0; b < LATENCY_BUCKETS; b++) {
        seen += h->bucket[b];
        if (seen >= want && seen > 0) {
            uint64_t top = latency_bucket_top(b);
            return top < h->max ? top : h->max;
        }
    }
    return h->max;
}

struct percentiles latency_percentiles(const struct histogram *h, double ns)
{
    return (struct percentiles){
        .count = h->count,
        .p50 = (double)percentile(h, 5000) * ns,
        .p99 = (double)percentile(h, 9900) * ns,
        .p999 = (double)percentile(h, 9990) * ns,
        .p9999 = (double)percentile(h, 9999) * ns,
        .max = (double)h->max * ns,
    };
}

const char *latency_name(enum latency_kind kind)
{
    static const char *const names[LATENCY_KINDS] = {"malloc", "free",
                                                     "realloc"};
    return names[kind];
}
