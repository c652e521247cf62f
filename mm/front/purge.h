/* purge.h - memory of idle shards goes back when all together have more than
 * ever (high_water.h).
 *
 * To be included by a stage after front/adopt.h. struct shard has `activity`.
 * The stage defines besides: */
#ifndef MM_FRONT_PURGE_H
#define MM_FRONT_PURGE_H

#include "mm/engine/usage.h"
#include "mm/front/high_water.h"
#include "mm/front/remote.h"
#include "mm/pace.h"

#include <errno.h>

#define PURGE_SHARDS 64 /* checked each time, at most; then the next ones */

/** What all shards have together. */
static always_inline struct totals *totals(void);
/** Is s, another thread's, the caller's for now? It never waits. */
static inline bool shard_steal(struct shard *s);
/** It is the other thread's again. */
static inline void shard_return(struct shard *s);

/* As totals_count, of s, the caller's. */
static inline size_t shard_count_resident(struct shard *s)
{
    return totals_count(totals(), heap_resident(&s->arena.heap), &s->counted);
}

/* Free what lies in the inbox of s, and give its waste to the system. */
static inline void shard_purge(struct shard *s, struct shard *mine)
{
    shard_free_inbox(s, mine);
    arena_purge(&s->arena);
    shard_count_resident(s);
    atomic_store_explicit(&s->activity.purgeable, 0, memory_order_relaxed);
}

/* How often s was entered. */
static inline uint32_t shard_uses(const struct shard *s)
{
    return atomic_load_explicit(&s->activity.uses, memory_order_relaxed);
}

/* Was s swept after its last use, and has it got nothing since? */
static inline bool shard_is_swept(const struct shard *s)
{
    return atomic_load_explicit(&s->activity.swept, memory_order_relaxed) ==
               shard_uses(s) &&
           !inbox_has_blocks(&s->inbox);
}

/* Purge s, which is idle, unless it is swept; s and mine are the caller's. */
static void shard_sweep(struct shard *s, struct shard *mine)
{
    if (shard_is_swept(s))
        return;
    shard_purge(s, mine);
    atomic_store_explicit(&s->activity.swept, shard_uses(s),
                          memory_order_relaxed);
}

/* Has nobody entered other, at `now`, since a look IDLE_MS ago? A look that
 * finds a new use only notes it. */
static inline bool shard_is_idle(struct shard *other, uint64_t now)
{
    struct activity *a = &other->activity;
    uint32_t uses = shard_uses(other);
    if (atomic_load_explicit(&a->seen, memory_order_relaxed) == uses)
        return now >= atomic_load_explicit(&a->seen_at, memory_order_relaxed) +
                          IDLE_MS * pace_slowness();
    atomic_store_explicit(&a->seen_at, now, memory_order_relaxed);
    atomic_store_explicit(&a->seen, uses, memory_order_relaxed);
    return false;
}

/* Is there something to get from other, at `now`? Very much is worth it even if
 * its thread is not idle. */
static inline bool shard_may_give(struct shard *other, uint64_t now)
{
    size_t waste =
        atomic_load_explicit(&other->activity.purgeable, memory_order_relaxed);
    count_shared();
    return (shard_is_idle(other, now) && !shard_is_swept(other)) ||
           waste >= PURGE_LARGE;
}

/* Give back all that one idle shard after the other wastes, until it is `need`
 * bytes; their threads may be asleep. @return bytes */
static size_t purge_idle_shards(struct shard *s, size_t need)
{
    uint32_t n = shard_count(), most = (uint32_t)min_size(n, PURGE_SHARDS);
    size_t given = 0;
    uint64_t now = clock_ms();
    for (uint32_t i = 0; i < most && given < need; i++) {
        count_rmw();
        struct shard *other =
            shard_at(atomic_fetch_add_explicit(&totals()->cursor, 1,
                                               memory_order_relaxed) %
                     n);
        if (!other || other == s || !shard_may_give(other, now) ||
            !shard_steal(other))
            continue;
        size_t had = heap_resident(&other->arena.heap);
        shard_sweep(other, s);
        given += had - heap_resident(&other->arena.heap);
        shard_return(other);
    }
    return given;
}

/* s has changed by a step: count it. If all together have more than ever, purge
 * what others waste (high_water.h). Signed: a child made in the middle of a
 * count may have a sum below 0. */
static cold_noinline void shard_recount(struct shard *s)
{
    struct totals *all = totals();
    size_t mark = atomic_load_explicit(&all->high_water, memory_order_relaxed);
    size_t whole = shard_count_resident(s);
    if ((ptrdiff_t)whole <= (ptrdiff_t)mark)
        return;
    int saved = errno; /* what is refused, a barrier perhaps, is no error */
    size_t need = high_water_need(whole);
    size_t given = purge_idle_shards(s, need);
    errno = saved;
    mark = high_water_after(mark, whole, given, need);
    atomic_store_explicit(&all->high_water, mark, memory_order_relaxed);
}

#endif
