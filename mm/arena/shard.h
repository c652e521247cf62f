/* shard.h - an arena with a lock: which threads use it, and its fate.
 *
 *   a block ─► id, in its header or tag ─► owners[id] ─► the shard it lies in
 *
 *   spare ─────────► owned ────────────► orphan ─────────► merged ──► spare
 *           pop             thread ends    │    taken in    relabelled
 *            ▲                ▲            │    by a thread whose heap
 *            └ or made anew   └────────────┘    would have to grow
 *                              the next new thread, or one in need
 *
 * A thread's shard outlives it: it waits as an orphan, with blocks that others
 * still use, and is taken over by the next new thread, or by one whose heap
 * would have to grow, or merged into that one's shard (rich.h, adopt.h). There
 * are about as many shards as there were threads at once, and MM_MAX_ARENAS at
 * most; threads beyond share.
 *
 * A thread that works on a shard's arena has its lock. Without it, others may
 * write its inbox, and what they note of its use.
 *
 * Locks, in the order in which they may be taken (lock.h):
 *   1 registry  which thread uses which shard; orphans, spares, free structs
 *   2 a shard   its arena; what owners[] says of the ids that lead to it
 *   3 another shard, of a higher id: to merge them, under the registry only
 * fork takes the registry and all shards, by rising id. Scans for memory to
 * purge hold any and only try.
 *
 * Invariants, beside those of front/check.h
 *   A1 an orphan has no users
 *   A2 the holder of a shard's lock may rely on what owner_of says of its
 *      blocks: ids come to lead to it, or away, only under that lock */
#ifndef MM_ARENA_SHARD_H
#define MM_ARENA_SHARD_H

#include "config.h"
#include "mm/front/high_water.h"
#include "mm/front/inbox.h"
#include "mm/front/low_water.h"
#include "mm/front/owners.h"
#include "mm/front/thread.h"
#include "mm/lock.h"

#ifndef ARENA_FAVORITE
#define ARENA_FAVORITE 0
#endif

enum status { OWNED, ORPHAN, MERGED, SPARE };
static const char *const status_names[] = {[OWNED] = "owned",
                                           [ORPHAN] = "orphan",
                                           [MERGED] = "merged",
                                           [SPARE] = "spare"};

struct shard {
    struct lock lock;
    uint32_t users;     /* threads; under the registry */
    struct shard *next; /* orphans, or spare; under the registry */

    _Alignas(CACHE_LINE) struct inbox inbox;
    _Atomic size_t inbox_bytes; /* about how many wait there */

    _Alignas(CACHE_LINE) struct activity activity;
    _Atomic uint64_t state; /* status, and how often it changed */
    uint32_t id;            /* index in all_shards[] */
    uint32_t nmerged;
    struct shard *merged, *next_merged; /* merged into this one; a list */
    size_t counted;                     /* its part of registry.totals */
    struct arena arena;
} __attribute__((aligned(CACHE_LINE)));

#define SHARD_GROWS_IN_STEPS false
#include "mm/front/birth.h"
#include "mm/front/state.h"

static struct registry {
    struct lock lock;
    struct shard *orphans; /* with memory, without users; first in, first out */
    struct shard *newest;  /* the last of them */
    struct shard *spare;
    _Atomic uint32_t norphans; /* a hint, also read without the lock */
    uint32_t turn;             /* next to be shared, when there are too many */
    struct totals totals;
} registry = {.lock = LOCK_INITIALIZER};

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

/* NULL: out of memory, or of ids. */
static struct shard *shard_make(void)
{
    uint32_t id = shard_count();
    struct shard *s = id < MM_MAX_ARENAS ? mem_record(sizeof *s) : NULL;
    if (!s)
        return NULL;
    s->lock = (struct lock)LOCK_INITIALIZER;
    s->id = id;
    shard_clear(s);
    state_set(s, SPARE);
    owner_set(id, s);
    atomic_store_explicit(&all_shards[id], s, memory_order_release);
    atomic_store_explicit(&nshards, id + 1, memory_order_relaxed);
    return s;
}

static inline struct shard *shard_pop_spare(void)
{
    return shard_pop(&registry.spare);
}

static inline void shard_push_spare(struct shard *s)
{
    s->next = registry.spare;
    registry.spare = s;
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
