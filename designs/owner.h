/* owner.h - which thread owns which heap: taken at a thread's first call, left
 * at its last, adopted whole by the next thread that comes.
 *
 *   thread 0 ──► heap ┐
 *   thread 1 ──► heap ├─ all: for fini and check        mine: thread-local
 *      (exited)  heap ┘  ▲
 *                        orphans: last left, first adopted
 *
 * A heap is never destroyed before fini, so a block's owner may be looked up
 * at any time, and blocks outlive their threads. There are at most as many
 * heaps as threads ever lived at once. What others return to an orphan, for
 * which no thread looks, they collect themselves, now and then. A thread leaves
 * by the thread_exit hook or, without it, by the destructor of a pthread key;
 * if other destructors allocate later, it takes a heap for each such call
 * alone.
 *
 * A fork holds all locks, so the child finds nothing half done. Heaps of
 * threads that it does not have stay as they are; blocks may go back to them.
 *
 * Invariants
 *   O1 a heap is mine for at most one thread, or else an orphan: not both
 *   O2 `mine` counts only in the generation in which it was taken: fini ends
 *      a generation, and threads that outlive it notice by themselves
 *
 * The design that includes this file has one `owners`, and defines: */
#ifndef DESIGNS_OWNER_H
#define DESIGNS_OWNER_H

#include "memlib.h"
#include "mm/fork.h"
#include "mm/front/inbox.h"
#include "mm/lock.h"
#include "mm/util.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

/* A block that nobody uses, seen from a list or an inbox that it is in. */
struct freed {
    struct freed *next;
};

struct owner {
    struct owner *next;        /* in all */
    struct owner *next_orphan; /* in orphans */
    _Atomic bool orphan;       /* without the lock: a hint */
};

/** Prepare an empty heap for this variant of the design. @return 0, or -1. */
static int design_start(int variant);
/** Give everything back; owners.all still stands. */
static void design_stop(void);
/** @return a heap of one's own, its struct owner first; NULL, ENOMEM. */
static struct owner *design_owner_new(void);
/** The owner goes, or went: give back what nobody could reach any more. */
static void design_owner_leave(struct owner *o);
/** Take or give all locks of the design's own. */
static void design_lock_all(bool take);

#define NOT_STARTED (-1)
#define TIDY_BYTES                                                             \
    ((size_t)64 << 10) /* returned to orphans between two looks */

static struct {
    struct lock lock; /* guards all but generation */
    struct owner *all, *orphans;
    int variant;
    pthread_key_t key;
    _Atomic unsigned generation;
} owners = {.lock = LOCK_INITIALIZER, .variant = NOT_STARTED};

static _Thread_local struct {
    struct owner *owner;
    unsigned generation;
    bool ending;     /* the destructor ran */
    size_t returned; /* bytes, to orphans, since it looked after one */
} mine;

/* Relaxed: it changes in fini only, when no thread is inside the allocator. */
static always_inline unsigned generation_now(void)
{
    return atomic_load_explicit(&owners.generation, memory_order_relaxed);
}

/** The calling thread's heap; NULL before its first malloc. */
static always_inline void *owner_mine(void)
{
    return likely(mine.generation == generation_now()) ? mine.owner : NULL;
}

/* Relaxed, for the lock orders all that is done to an orphan. */
static bool is_orphan(const struct owner *o)
{
    return atomic_load_explicit(&o->orphan, memory_order_relaxed);
}

static void set_orphan(struct owner *o, bool is)
{
    atomic_store_explicit(&o->orphan, is, memory_order_relaxed);
}

static cold_noinline void orphan_tidy(struct owner *o, size_t bytes)
{
    mine.returned += bytes;
    if (mine.returned < TIDY_BYTES)
        return;
    mine.returned = 0;
    lock_take_as(&owners.lock, RANK_NONE);
    if (is_orphan(o))
        design_owner_leave(o);
    lock_drop(&owners.lock);
}

/** Another thread returned bytes to o. */
static always_inline void owner_returned(struct owner *o, size_t bytes)
{
    if (unlikely(is_orphan(o)))
        orphan_tidy(o, bytes);
}

/** The calling thread made its last call, as far as it knows. */
static void owner_leave(void)
{
    struct owner *o = owner_mine();
    if (!o)
        return;
    design_owner_leave(o);
    mine.owner = NULL;
    pthread_setspecific(owners.key, NULL);
    lock_take_as(&owners.lock, RANK_NONE);
    o->next_orphan = owners.orphans;
    owners.orphans = o;
    set_orphan(o, true);
    lock_drop(&owners.lock);
}

static void owner_exit(void *ignored)
{
    (void)ignored;
    owner_leave();
    mine.ending = true;
}

/** A call that may have begun with owner_enter ends. */
static always_inline void owner_done(void)
{
    if (unlikely(mine.ending))
        owner_leave();
}

static always_inline void lock_if(struct lock *lock, bool take)
{
    if (take)
        lock_take_as(lock, RANK_NONE);
    else
        lock_drop(lock);
}

static void owners_fork_begins(void)
{
    lock_take_as(&owners.lock, RANK_NONE);
    design_lock_all(true);
}

static void owners_fork_ended(void)
{
    design_lock_all(false);
    lock_drop(&owners.lock);
}

/* @pre owners.lock is held. */
static int owners_start(int variant)
{
    if (owners.variant == variant)
        return 0;
    if (owners.variant != NOT_STARTED) {
        errno = EBUSY; /* one variant of a design at a time */
        return -1;
    }
    if (fork_take_locks(owners_fork_begins, owners_fork_ended,
                        owners_fork_ended) != 0)
        return -1;
    if (mem_init() != 0 || pthread_key_create(&owners.key, owner_exit) != 0)
        return -1;
    if (design_start(variant) != 0) {
        pthread_key_delete(owners.key);
        return -1;
    }
    owners.variant = variant;
    return 0;
}

/** Start the design; again is the same as once. @return 0; -1 and errno. */
static int owners_init(int variant)
{
    lock_take_as(&owners.lock, RANK_NONE);
    int result = owners_start(variant);
    lock_drop(&owners.lock);
    return result;
}

/** End the generation. @pre quiescent */
static void owners_fini(void)
{
    lock_take_as(&owners.lock, RANK_NONE);
    if (owners.variant != NOT_STARTED) {
        design_stop();
        pthread_key_delete(owners.key);
        atomic_fetch_add_explicit(&owners.generation, 1, memory_order_relaxed);
        owners.all = owners.orphans = NULL;
        owners.variant = NOT_STARTED;
        mem_fini();
    }
    lock_drop(&owners.lock);
}

/* An orphan, or NULL. Starts the design (variant 0) if nobody has. */
static struct owner *owner_adopt(bool *started)
{
    lock_take_as(&owners.lock, RANK_NONE);
    *started = owners.variant != NOT_STARTED || owners_start(0) == 0;
    struct owner *o = owners.orphans;
    if (o) {
        owners.orphans = o->next_orphan;
        set_orphan(o, false);
    }
    lock_drop(&owners.lock);
    return o;
}

static struct owner *owner_create(void)
{
    struct owner *o = design_owner_new();
    if (!o)
        return NULL;
    lock_take_as(&owners.lock, RANK_NONE);
    o->next = owners.all;
    owners.all = o;
    lock_drop(&owners.lock);
    return o;
}

/** A heap for a thread that has none. @return NULL, errno == ENOMEM */
static cold_noinline struct owner *owner_enter(void)
{
    bool started;
    struct owner *o = owner_adopt(&started);
    if (!o && started)
        o = owner_create();
    if (!o) {
        errno = ENOMEM;
        return NULL;
    }
    mine.owner = o;
    mine.generation = generation_now();
    pthread_setspecific(owners.key, o); /* may call malloc: mine is set */
    return o;
}

static int owner_thread_init(void)
{
    return owner_mine() || owner_enter() ? 0 : -1;
}

/* For the design's struct mm_allocator, which has an init of its own. */
#define LIFECYCLE                                                              \
    .fini = owners_fini, .thread_init = owner_thread_init,                     \
    .thread_exit = owner_leave

#endif
