/* census.h - counts all arenas of a stage whose threads have caches, from
 * outside (mm/engine/census.h).
 *
 *   bin    limit - room blocks wait there; of large bins their bytes count
 *   outbox bytes on their way: the arena that they lie in still counts them as
 *          live
 *   inbox  about how many bytes wait there: its chain leads through blocks, and
 *          only its owner may follow it
 *
 * To be included by a stage after front/front.h, which defines: */
#ifndef MM_FRONT_CENSUS_H
#define MM_FRONT_CENSUS_H

#include "mm/engine/census.h"
#include "mm/engine/view.h"
#include "mm/front/front.h"

/* What is kept by the threads that work in one shard. */
struct threads_census {
    size_t cached, sent; /* bytes */
    int tid;             /* of one of them; 0: there is none */
    struct mm_census_class *classes;
};

/** Call thread_census for each thread that works in s. */
static inline void shard_census_threads(const struct shard *s,
                                        struct threads_census *t);

/* Bytes that wait in c; add their blocks to the classes. */
static inline unsynchronized size_t
cache_census(const struct cache *c, struct mm_census_class *classes)
{
    size_t bytes = peek(c->large);
    for (size_t i = 1; i < NBINS + SMALL_BINS; i++) {
        int32_t n = peek(c->bins[i].limit) - peek(c->bins[i].room);
        struct mm_census_class *k = classes + bin_bytes(i) / ALIGN;
        if (n <= 0)
            continue;
        bytes += (size_t)n * bin_bytes(i);
        if (classes)
            *(i < NBINS ? &k->cached : &k->headers_cached) += (size_t)n;
    }
    return bytes;
}

static inline unsynchronized void thread_census(const struct thread *t,
                                                struct threads_census *out)
{
    out->cached += cache_census(&t->cache, out->classes);
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        if (peek(t->outbox.slots[i].to))
            out->sent += peek(t->outbox.slots[i].bytes);
    out->tid = peek(t->tid);
}

/* @param to_be_sent  what its threads have freed of others' is added to it */
static void shard_census(struct mm_census *c, const struct shard *s,
                         size_t *to_be_sent)
{
    struct threads_census threads = {.classes = census_classes(c)};
    struct mm_census_arena one = {.id = s->id, .uses = shard_uses(s)};
    one.state = status_names[status_of(state_get(s))];
    arena_census(&s->arena, &one, threads.classes);
    shard_census_threads(s, &threads);
    one.cached = census_take(&one.live, threads.cached);
    one.sent = census_take(
        &one.live, atomic_load_explicit(&s->inbox_bytes, memory_order_relaxed));
    one.thread = threads.tid;
    *to_be_sent += threads.sent;
    if (one.mapped)
        census_add(c, &one);
    census_add_classes(c);
}

static void stage_census(struct mm_census *c)
{
    size_t to_be_sent = 0;
    for (uint32_t i = 0; i < shard_count(); i++)
        if (shard_at(i))
            shard_census(c, shard_at(i), &to_be_sent);
    c->sent += census_take(&c->live, to_be_sent);
}

/* The same words, for a program that reads them (mm/engine/view.h). */
#define VIEW_FRONT                                                             \
    VIEW_AT("shards", all_shards), VIEW_AT("nshards", &nshards),               \
        VIEW_IS("sizeof shard", sizeof(struct shard)), VIEW_IN(shard, state),  \
        VIEW_IS("STATUS_BITS", STATUS_BITS),                                   \
        VIEW_AT("status_names", status_names), VIEW_IN(shard, inbox_bytes),    \
        VIEW_IN(shard, activity.uses),                                         \
        VIEW_IS("sizeof thread", sizeof(struct thread)),                       \
        VIEW_IN(thread, open), VIEW_IN(thread, tid), VIEW_IN(thread, shard),   \
        VIEW_IN(thread, older), VIEW_IN(thread, cache.bins),                   \
        VIEW_IN(thread, cache.large), VIEW_IN(bin, room), VIEW_IN(bin, limit), \
        VIEW_IS("nbins", NBINS), VIEW_IS("small_bins", SMALL_BINS),            \
        VIEW_IN(thread, outbox.slots), VIEW_IN(batch, to),                     \
        VIEW_IN(batch, bytes), VIEW_IS("sizeof batch", sizeof(struct batch)),  \
        VIEW_IS("nbatches", OUTBOX_SLOTS)

#endif
