/* remote.h - what reaches a shard of the arena stage from outside, and how an
 * orphan serves a thread in need.
 *
 * What freeing a block touches, lists and neighbours, is in the cache of the
 * owner's processor, and stays there if the owner frees it: so others only
 * leave blocks in its inbox. Where the owner does not come, because it sleeps
 * or is gone, the thread that sends too much frees them instead. */
#ifndef MM_ARENA_REMOTE_H
#define MM_ARENA_REMOTE_H

#include "mm/arena/registry.h"

#include "mm/front/adopt.h"

#define INBOX_BYTES ((size_t)128 << 10) /* that wait for a shard's thread */
#define WAIT_BYTES (4 * OUTBOX_BYTES)   /* of one batch: it does not wait */

/* ---- inboxes ----------------------------------------------------------- */

/* fork waits until nobody is inside: all shards are whole. */
static inline bool shard_is_foreign(const struct shard *s)
{
    (void)s;
    return false;
}

/* Lock s, if nobody has locked it and its status is at most `most`: a merged
 * one has nothing, and its inbox is closed. @return is it locked? */
static inline bool shard_try(struct shard *s, enum status most)
{
    if (!lock_try(&s->lock))
        return false;
    if (status_of(state_get(s)) <= most)
        return true;
    lock_drop(&s->lock);
    return false;
}

/* A sender that finds the owner at work leaves all to it. */
static inline void shard_sent(struct shard *to, size_t bytes)
{
    count_rmw();
    size_t sum = bytes + atomic_fetch_add_explicit(&to->inbox_bytes, bytes,
                                                   memory_order_relaxed);
    if (likely(sum <= INBOX_BYTES && bytes < WAIT_BYTES))
        return;
    if (shard_try(to, ORPHAN)) {
        shard_free_inbox(to, to);
        activity_note(&to->activity, heap_purgeable(&to->arena.heap));
        lock_drop(&to->lock);
    }
}

/* ---- owners, locked ---------------------------------------------------- */

/* Keep the lock of s, which p lay in before. @return false: it does not lie
 * there any more, as s was merged, or its id serves anew; the lock is dropped
 */
static inline bool owner_keep(struct shard *s, const void *p)
{
    if (likely(owner_of(p) == s))
        return true;
    lock_drop(&s->lock);
    return false;
}

/* Lock the shard that p, a block in use, lies in. */
static inline struct shard *owner_lock(const void *p)
{
    for (;;) {
        struct shard *s = owner_of(p);
        lock_take(&s->lock);
        if (likely(owner_keep(s, p)))
            return s;
    }
}

/* The same, if nobody has it: else NULL. */
static inline struct shard *owner_try(const void *p)
{
    struct shard *s = owner_of(p);
    return lock_try(&s->lock) && likely(owner_keep(s, p)) ? s : NULL;
}

/* ---- adoption ---------------------------------------------------------- */

/* Work in o, which nobody uses, instead of s from now on. @pre the registry's
 * lock */
static inline void shard_exchange(struct shard *s, struct shard *o)
{
    state_set(o, OWNED);
    o->users++;
    if (self() != &no_thread)
        thread_set(o, self());
    shard_release(s);
}

/* The registry's lock comes first: so that of s is dropped, and taken again. */
static cold_noinline struct shard *shard_relieve(struct shard *s, size_t asize)
{
    if (!atomic_load_explicit(&registry.norphans, memory_order_relaxed) ||
        self() == &no_thread)
        return NULL;
    lock_drop(&s->lock);
    lock_take(&registry.lock);
    struct shard *o = shard_pop_orphan(), *to = s;
    if (o) {
        bool first = s->id < o->id; /* the lower id's lock comes first */
        lock_take_as(&(first ? s : o)->lock, RANK_SHARD);
        lock_take_as(&(first ? o : s)->lock, RANK_SECOND);
        to = shard_use_orphan(s, o, asize);
        lock_drop(&o->lock);
        lock_drop(&s->lock);
    }
    lock_drop(&registry.lock);
    lock_take(&to->lock);
    return to;
}

/* s, which is full, is left: its thread, or its borrower, works in an
 * empty shard from now on. @return it, entered; or s, as there is none */
static cold_noinline struct shard *shard_renew(struct shard *s)
{
    if (ARENA_FAVORITE)
        return s;
    lock_drop(&s->lock);
    lock_take(&registry.lock);
    struct shard *n = shard_new();
    if (n)
        shard_exchange(s, n);
    lock_drop(&registry.lock);
    n = n ? n : s;
    lock_take(&n->lock);
    return n;
}

/* All ids are used up: free those of shards that were merged away. */
static cold_noinline void shards_reclaim(void)
{
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        lock_take(&s->lock);
        if (s->merged)
            merged_release(s);
        lock_drop(&s->lock);
    }
}

/* One of the fixed array, which grows to its size at first. */
static inline struct shard *favorite_make(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t most = (uint32_t)min_size(2 * (size_t)processors, MM_MAX_ARENAS);
    return shard_count() < most ? shard_make() : NULL;
}

/* A shard that no thread uses. NULL: no memory, or no id, for one. */
static inline struct shard *shard_get(void)
{
    if (ARENA_FAVORITE)
        return favorite_make();
    if (!registry.orphans && !registry.spares && shard_count() == MM_MAX_ARENAS)
        shards_reclaim();
    struct shard *s = shard_pop_orphan();
    return s ? s : shard_new();
}

/* The same, OWNED, with one user more. If there is none: one that others use,
 * each time the next. NULL: out of memory. @pre the registry's lock */
static inline struct shard *shard_acquire(void)
{
    struct shard *s = shard_get();
    if (s)
        state_set(s, OWNED);
    else if (shard_count())
        s = owner_at(registry.turn++ % shard_count());
    if (s)
        s->users++;
    return s;
}

#endif
