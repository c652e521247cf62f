/* owners.h - which shard a block lies in: two loads.
 *
 *   a block ─► id, in its header or its page's tag ─► owners[id] ─► shard
 *
 * Each shard has an id for good: all_shards[id]. A shard that is merged into
 * another one stays, and its id leads to the other, until no block
 * names it any more (adopt.h).
 *
 * An answer may be out of date at once, unless the caller owns the shard that
 * it names, or has locked it: then nothing leads away from it. So a thread that
 * takes a block out of an inbox checks its label once more. */
#ifndef MM_FRONT_OWNERS_H
#define MM_FRONT_OWNERS_H

#include "count.h"
#include "mm/engine/arena.h"

#include <stdatomic.h>

#define MAX_SHARDS 65536 /* ids are 16 bits wide */

struct shard;

static _Atomic uint32_t nshards;
static struct shard *_Atomic all_shards[MAX_SHARDS];
static struct shard *_Atomic owners[MAX_SHARDS];

/* NULL for a moment while it is being made. Acquire, paired with the release
 * in shard_make: it is complete. */
static always_inline struct shard *shard_at(uint32_t id)
{
    return atomic_load_explicit(&all_shards[id], memory_order_acquire);
}

static inline uint32_t shard_count(void)
{
    uint32_t n = atomic_load_explicit(&nshards, memory_order_relaxed);
    return (uint32_t)min_size(n, MAX_SHARDS);
}

/* Release, paired with the acquire in owner_of: a thread that learns of the new
 * owner also sees the labels that were changed before. */
static inline void owner_set(uint32_t id, struct shard *s)
{
    count_shared();
    atomic_store_explicit(&owners[id], s, memory_order_release);
}

/* The same of a shard that is being made. An exchange, and acquire, too: see
 * owner_is_missing. */
static inline void owner_set_first(uint32_t id, struct shard *s)
{
    count_rmw();
    atomic_exchange_explicit(&owners[id], s, memory_order_acq_rel);
}

/* Has nobody this id, which owner_at said? A thread may see the label of a
 * block, and not yet that the shard was made whose label it is. The swap, of
 * NULL for itself, comes before that or fails. Release, paired with the acquire
 * in owner_set_first: if it comes before, no label that this thread has read
 * was written after it. */
static cold_noinline bool owner_is_missing(uint32_t id)
{
    struct shard *none = NULL;
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        &owners[id], &none, NULL, memory_order_release, memory_order_relaxed);
}

/* The shard that an id leads to. Acquire, paired with the release in owner_set.
 * NULL: nobody has that id. */
static always_inline struct shard *owner_at(uint32_t id)
{
    return atomic_load_explicit(&owners[id], memory_order_acquire);
}

/* The shard that p, a block in use, lies in. May be out of date at once, but
 * not for the shard's owner. */
static inline struct shard *owner_of(const void *p)
{
    uint32_t id = payload_owner(p);
    struct shard *s = owner_at(id);
    if (unlikely(!s)) {
        if (owner_is_missing(id))
            mm_die("the block's header was overwritten", p);
        s = owner_at(id);
    }
    return s;
}

/* @pre no other thread uses them */
static inline void owners_clear(void)
{
    for (uint32_t i = shard_count(); i-- > 0;) {
        atomic_store_explicit(&all_shards[i], NULL, memory_order_relaxed);
        atomic_store_explicit(&owners[i], NULL, memory_order_relaxed);
    }
    atomic_store_explicit(&nshards, 0, memory_order_relaxed);
}

#endif
