/* birth.h - a shard without memory, for a thread that needs one; or one that
 * was merged, empty again (adopt.h).
 *
 *   shard_new ──► a spare one, its inbox open again
 *             └─► or one that is made: arena, state, its place in all_shards[]
 *
 * A spare has served before, and no block names its id any more (adopt.h).
 *
 * To be included by a stage after its struct shard and SHARD_GROWS_IN_STEPS,
 * which says whether its heaps grow in steps (heap.h). The stage defines
 * besides: */
#ifndef MM_FRONT_BIRTH_H
#define MM_FRONT_BIRTH_H

#include "mm/engine/arena.h"
#include "mm/front/inbox.h"

/** A shard that waits for a thread, or NULL. */
static inline struct shard *shard_pop_spare(void);
/** A new one. NULL: out of memory, or of ids. */
static struct shard *shard_make(void);

/* Nothing is in it. It may grow only where the front says so. */
static inline void shard_clear(struct shard *s)
{
    arena_init(&s->arena, s->id);
    s->arena.all_earn = true;
    s->arena.heap.may_grow = false;
    s->arena.heap.grows_in_steps = SHARD_GROWS_IN_STEPS;
    s->counted = 0;
    atomic_store_explicit(&s->inbox_bytes, 0, memory_order_relaxed);
}

/* One without memory. NULL: out of memory, or of ids. @pre in a stage with a
 * registry: its lock */
static inline struct shard *shard_new(void)
{
    struct shard *s = shard_pop_spare();
    if (s)
        inbox_open_owner(&s->inbox);
    return s ? s : shard_make();
}

#endif
