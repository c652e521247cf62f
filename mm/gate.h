/* gate.h - fork takes the locks of all arenas, and while it waits for them, a
 * thread that would take one more waits, too.
 *
 *   fork     registry ─► gate shut ─► arena 0 ─► arena 1 ─► ...   by rising id
 *   thread   gate_pass ─► its arena                   waits where it is shut
 *
 * Without the gate, threads that allocate without end would each take their
 * lock again before the forker has woken up, and all threads that begin or end
 * would wait for the registry meanwhile. The flag changes under the registry's
 * lock only. The holder of that lock finds it unset, so a thread that finds it
 * set holds no lock.
 *
 * The stage has a registry with a lock, under which arenas are made, and
 * defines: */
#ifndef MM_GATE_H
#define MM_GATE_H

#include "mm/lock.h"

/** How many arenas there are. */
static inline uint32_t shard_count(void);
/** The lock of the arena with this id; the registry's for NO_ARENA. */
static inline struct lock *lock_of(uint32_t id);

#define NO_ARENA UINT32_MAX

static struct {
    struct lock lock;
    _Atomic bool shut; /* relaxed: a hint; the lock is what is waited for */
} gate = {.lock = LOCK_INITIALIZER};

static inline void gate_wait(void)
{
    lock_take_as(&gate.lock, RANK_NONE);
    lock_drop(&gate.lock);
}

/* Before an arena's lock is taken and waited for. */
static inline void gate_pass(void)
{
    if (unlikely(atomic_load_explicit(&gate.shut, memory_order_relaxed)))
        gate_wait();
}

/** fork begins: wait until nobody is inside any arena, so that the child gets
 * whole ones. */
static void gate_shut(void)
{
    lock_take_as(lock_of(NO_ARENA), RANK_REGISTRY);
    lock_take_as(&gate.lock, RANK_NONE);
    atomic_store_explicit(&gate.shut, true, memory_order_relaxed);
    for (uint32_t i = 0; i < shard_count(); i++)
        lock_take_as(lock_of(i), RANK_NONE);
}

/** It is over, in the parent or the child. */
static void gate_open(void)
{
    for (uint32_t i = shard_count(); i-- > 0;)
        lock_drop(lock_of(i));
    atomic_store_explicit(&gate.shut, false, memory_order_relaxed);
    lock_drop(&gate.lock);
    lock_drop(lock_of(NO_ARENA));
}

#endif
