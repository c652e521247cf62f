/* registry.h - who has which shard: threads and their shards, how shards are
 * made, and where they wait.
 *
 *   registry ─┬► orphans: shard ─► shard ─► 0     the oldest first
 *             └► spares:  shard ─► 0
 *
 * Locks, in the order in which they may be taken (lock.h):
 *   1 registry  which thread uses which shard; orphans, spares, free structs
 *   2 a shard   its arena; what owners[] says of the ids that lead to it
 *   3 another shard, of a higher id: to merge them, under the registry only
 * fork takes the registry and all shards, by rising id. A purge of others holds
 * any, and only tries theirs. */
#ifndef MM_ARENA_REGISTRY_H
#define MM_ARENA_REGISTRY_H

#include "mm/arena/shard.h"

#include "mm/front/birth.h"
#include "mm/front/owners.h"
#include "mm/front/state.h"
#include "mm/gate.h"

static inline void lock_take(struct lock *l)
{
    if (l != &registry.lock)
        gate_pass();
    lock_take_as(l, l == &registry.lock ? RANK_REGISTRY : RANK_SHARD);
}

static always_inline struct totals *totals(void)
{
    return &registry.totals;
}

/* ---- states ---------------------------------------------------------- */

/* Release, paired with the acquire in state_get: an inbox that was opened
 * before is seen open. @pre the registry's lock */
static inline void state_set(struct shard *s, enum status status)
{
    uint64_t next = state_next(state_get(s), status);
    atomic_store_explicit(&s->state, next, memory_order_release);
}

/* ---- threads --------------------------------------------------------- */

/* Of a thread that has none yet: it is never open. */
static struct thread no_thread;
static __thread struct thread *self_thread = &no_thread;

static always_inline struct thread *self(void)
{
    return self_thread;
}

/* Threads may share a shard: the caller is the one that works on it. */
static always_inline struct thread *thread_of(const struct shard *s)
{
    (void)s;
    return self();
}

/* t's thread works in s from now on. */
static inline void thread_set(struct shard *s, struct thread *t)
{
    t->shard = s;
    t->tag = owner_tag(s->id);
}

static inline struct outbox *outbox_of(const struct shard *s)
{
    struct thread *t = thread_of(s);
    return likely(t != &no_thread) ? &t->outbox : NULL;
}

/* ---- birth and death; all under the registry's lock -------------------- */

static inline struct shard *shard_pop(struct shard **list)
{
    struct shard *s = *list;
    if (s)
        *list = s->next;
    return s;
}

/* Its lock is free, as a record is zero. NULL: out of memory, or of ids. */
static struct shard *shard_make(void)
{
    uint32_t id = shard_count();
    struct shard *s = id < MM_MAX_ARENAS ? mem_record(sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->id = id;
    shard_clear(s);
    state_set(s, SPARE);
    owner_set_first(id, s);
    atomic_store_explicit(&all_shards[id], s, memory_order_release);
    atomic_store_explicit(&nshards, id + 1, memory_order_relaxed);
    return s;
}

static inline struct shard *shard_pop_spare(void)
{
    return shard_pop(&registry.spares);
}

static inline void shard_push_spare(struct shard *s)
{
    s->next = registry.spares;
    registry.spares = s;
}

/* After all others: when its turn comes, most of its blocks will be free. */
static inline void shard_push_orphan(struct shard *s)
{
    state_set(s, ORPHAN);
    *(registry.orphans ? &registry.newest->next : &registry.orphans) = s;
    registry.newest = s;
    s->next = NULL;
    count_rmw();
    atomic_fetch_add_explicit(&registry.norphans, 1, memory_order_relaxed);
}

static inline struct shard *shard_pop_orphan(void)
{
    struct shard *s = shard_pop(&registry.orphans);
    if (s) {
        count_rmw();
        atomic_fetch_sub_explicit(&registry.norphans, 1, memory_order_relaxed);
    }
    return s;
}

/* The thread that used s is gone. A favorite has no users that could be
 * counted: they change. */
static inline void shard_release(struct shard *s)
{
    if (!ARENA_FAVORITE && --s->users == 0)
        shard_push_orphan(s);
}

static inline size_t shard_check_own(const struct shard *s, enum status status)
{
    return broken(status == ORPHAN && s->users, "A1 an orphan has no users", s,
                  "it has", s->users);
}

#endif
