/* shard.h - an arena with a lock, and the registry: which thread uses which.
 *
 *   registry ─► orphans: shard ─► shard ─► 0      no thread uses them
 *   shards[id] ─► shard: lock, arena          for good
 *
 * Locks, in the order in which they may be taken (lock.h):
 *   1 registry  which thread uses which shard; orphans
 *   2 a shard   its arena
 * fork takes all, by rising id. A purge of others only tries. */
#ifndef MM_PER_THREAD_SHARD_H
#define MM_PER_THREAD_SHARD_H

#include "mm/engine/arena.h"
#include "mm/front/high_water.h"
#include "mm/lock.h"

struct shard {
    struct lock lock;
    uint32_t id;        /* index in shards[]; what its blocks say */
    uint32_t users;     /* threads; under the registry */
    struct shard *next; /* orphans; under the registry */
    size_t counted;     /* its part of registry.totals */
    uint32_t uses;      /* how often the lock was taken to use it */
    uint32_t seen;      /* uses when others last checked it */
    struct arena arena;
} __attribute__((aligned(CACHE_LINE)));

static struct registry {
    struct lock lock;
    struct shard *orphans; /* the oldest first */
    struct shard *newest;
    uint32_t turn; /* next to be shared, when there are too many */
    _Atomic uint32_t nshards;
    struct totals totals;
} registry = {.lock = LOCK_INITIALIZER};

static struct shard *_Atomic shards[MM_MAX_ARENAS];

/* Acquire, paired with the release in shard_make: that many are complete. */
static inline uint32_t shard_count(void)
{
    return atomic_load_explicit(&registry.nshards, memory_order_acquire);
}

/* Acquire, paired with the release in shard_make: the shard is complete, to a
 * thread that read its id relaxed, from a label, too. */
static always_inline struct shard *shard_at(uint32_t id)
{
    return atomic_load_explicit(&shards[id], memory_order_acquire);
}

#endif
