/* gate.h - while fork waits for the locks of all arenas, a thread that would
 * take one more waits, too.
 *
 * Else threads that allocate without end would each take their lock again
 * before the forker has woken up, and all threads that begin or end would wait
 * for the registry meanwhile. The flag changes under the registry's lock only.
 * The holder of that lock finds it unset, so a thread that finds it set holds
 * no lock. */
#ifndef MM_GATE_H
#define MM_GATE_H

#include "mm/lock.h"

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

/* @pre the registry's lock */
static inline void gate_shut(void)
{
    lock_take_as(&gate.lock, RANK_NONE);
    atomic_store_explicit(&gate.shut, true, memory_order_relaxed);
}

static inline void gate_open(void)
{
    atomic_store_explicit(&gate.shut, false, memory_order_relaxed);
    lock_drop(&gate.lock);
}

#endif
