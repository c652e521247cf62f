/* lock.h - a mutex that is left out while the process has one thread only, and
 * that has a place in an order.
 *
 * A thread that waits for a lock holds only locks of lower rank, so that no
 * threads wait for each other in a circle; a debug build dies where that is not
 * so. One that only tries never waits, and may hold any.
 *
 * Locks are held for a microsecond. A thread that meets one looks a few times
 * whether it is free before it sleeps (glibc's adaptive mutex), which takes
 * longer. */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "count.h"
#include "mm/single.h"
#include "mm/util.h"

#include <pthread.h>
#include <stdatomic.h>

enum rank {
    RANK_NONE, /* not checked: it was only tried, or fork takes them all */
    RANK_REGISTRY,
    RANK_SHARD,
    RANK_SECOND /* shard */
};

struct lock {
    pthread_mutex_t mutex;
    bool taken; /* really; written under the mutex */
    unsigned char rank;
};

#define LOCK_INITIALIZER                                                       \
    {                                                                          \
        PTHREAD_ADAPTIVE_MUTEX_INITIALIZER_NP, false, RANK_NONE                \
    }

static __thread unsigned ranks_held; /* bit r: a lock of rank r; MM_DEBUG */

static inline void rank_enter(enum rank rank)
{
    if (MM_DEBUG && rank) {
        dbg_requires(ranks_held >> rank == 0, "lock order", &ranks_held);
        ranks_held |= 1u << rank;
    }
}

static inline void lock_taken(struct lock *l, enum rank rank)
{
    l->rank = (unsigned char)rank;
    l->taken = true;
}

static inline void lock_take_as(struct lock *l, enum rank rank)
{
    if (likely(single_threaded()))
        return;
    rank_enter(rank);
    count_rmw();
    pthread_mutex_lock(&l->mutex);
    lock_taken(l, rank);
}

static inline bool lock_try(struct lock *l)
{
    if (single_threaded())
        return true;
    count_rmw();
    if (pthread_mutex_trylock(&l->mutex) != 0)
        return false;
    lock_taken(l, RANK_NONE);
    return true;
}

static inline void lock_drop(struct lock *l)
{
    if (!l->taken)
        return;
    l->taken = false;
    if (MM_DEBUG && l->rank)
        ranks_held &= ~(1u << l->rank);
    count_rmw();
    pthread_mutex_unlock(&l->mutex);
}

/* ---- fork ------------------------------------------------------------ */

/* While fork waits for the locks of all arenas, a thread that would take one
 * more waits, too. Else threads that allocate without end take their locks
 * again before the forker has woken up, each of them, and all threads that
 * begin or end wait for the registry meanwhile. The flag changes under the
 * registry's lock only. The holder of that lock finds it unset, so a thread
 * that finds it set holds no lock. */
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
