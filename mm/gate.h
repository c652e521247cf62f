/* gate.h - fork takes the locks of all arenas, and while it waits for them, a
 * thread that would take one more waits, too.
 *
 *   fork     registry ─► gate shut ─► arena 0 ─► arena 1 ─► ...   by rising id
 *   thread   gate_pass ─► its arena                   waits where it is shut
 *
 * Without the gate, threads that allocate without end would each take their
 * lock again before the forker has woken up, and all threads that begin or end
 * would wait for the registry meanwhile. The gate is a lock that fork alone
 * takes, and only while it holds the registry's: so fork never waits there. The
 * others do not take it: they wait until it is open, and then all go on at
 * once. If each took it, the next fork would have to queue behind them. The
 * holder of the registry's lock finds it open, so a thread that finds it shut
 * holds no lock.
 *
 * To be included by a stage after its registry, under whose lock arenas are
 * made, and after its struct shard; both have a lock. The stage defines
 * besides: */
#ifndef MM_GATE_H
#define MM_GATE_H

#include <limits.h>

/** How many shards have been made. */
static inline uint32_t shard_count(void);
/** Shard id, one of these. */
static always_inline struct shard *shard_at(uint32_t id);

static struct lock gate = LOCK_INITIALIZER;

/* Before an arena's lock is taken and waited for. Relaxed: a hint; what is
 * waited for in earnest is that lock. */
static inline void gate_pass(void)
{
    if (unlikely(atomic_load_explicit(&gate.holder, memory_order_relaxed)))
        lock_wait(&gate, false);
}

/** fork begins: wait until nobody is inside any arena, so that the child gets
 * whole ones. */
static void gate_shut(void)
{
    lock_take_as(&registry.lock, RANK_REGISTRY);
    lock_take_as(&gate, RANK_NONE);
    for (uint32_t i = 0; i < shard_count(); i++)
        lock_take_as(&shard_at(i)->lock, RANK_NONE);
}

/** It is over, in the parent or the child. */
static void gate_open(void)
{
    for (uint32_t i = shard_count(); i-- > 0;)
        lock_drop(&shard_at(i)->lock);
    lock_drop_for(&gate, INT_MAX);
    lock_drop(&registry.lock);
}

#endif
