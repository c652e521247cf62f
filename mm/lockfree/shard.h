/* shard.h - an arena that has exactly one owner at any time, and no lock.
 *
 *   a block ─► id, in its header or tag ─► owners[id] ─► the shard it lies in
 *
 *   spare ──────────► owned ◄──────────► claimed ──► stolen
 *     ▲     pop         │  ▲    claim,     ▲           │  │ owner moved on
 *     │                 │  └──revoke───────┘  give back│  ▼
 *     │  relabelled     ▼ thread ends                  │ abandoned ─► orphan
 *   merged ◄───────── orphan ◄─────────────────────────┘
 *          taken in by a thread whose heap would have to grow
 *
 * A thread that owns a shard works on its arena with plain loads and stores. It
 * owns its own shard, one that it popped from a stack of orphans, and one that
 * it stole. What others may write: its inbox (front/inbox.h), its state, a
 * link.
 *
 * Merging. The adopter takes over the orphan's ids (its own, and those of the
 * shards that it had taken in), then closes the inbox, so that a sender that
 * finds it closed finds the new owner, too. When many shards are merged into
 * one, the blocks that name them are given its id, and they serve anew. So a
 * block may arrive at a shard that it does not belong to: the owner that takes
 * it out of its inbox checks its label once more, and sends it on.
 *
 * A shard is stolen for a moment from a thread that sleeps: steal.h.
 *
 * A handler may change the thread's shard just as it enters. So what the thread
 * touches first is its struct thread, which stays. Each shard has one, taken or
 * free; a thread that changes shards takes its struct along, and leaves the new
 * shard's with the old shard.
 *
 *   self ─► thread: open, cache, outbox ◄──► shard: inbox, state, arena
 *
 * Invariants, beside those of front/check.h
 *   L1 the struct thread of a shard that no thread has is not open
 *   L2 threads and shards lead to each other */
#ifndef MM_LOCKFREE_SHARD_H
#define MM_LOCKFREE_SHARD_H

#include "config.h"
#include "mm/front/high_water.h"
#include "mm/front/inbox.h"
#include "mm/front/low_water.h"
#include "mm/front/owners.h"
#include "mm/front/thread.h"
#include "mm/lockfree/lists.h"

enum status { OWNED, CLAIMED, STOLEN, ABANDONED, ORPHAN, MERGED, SPARE };
static const char *const status_names[] = {
    [OWNED] = "owned",         [CLAIMED] = "claimed", [STOLEN] = "stolen",
    [ABANDONED] = "abandoned", [ORPHAN] = "orphan",   [MERGED] = "merged",
    [SPARE] = "spare"};

struct shard {
    struct thread first_thread; /* where some shard's struct lies */

    _Alignas(CACHE_LINE) struct inbox inbox;
    _Atomic size_t inbox_bytes; /* about how many wait there */
    _Alignas(CACHE_LINE) _Atomic uint64_t
        state;              /* status, and how often it changed */
    _Atomic uint32_t below; /* link in a tagged stack */

    _Alignas(CACHE_LINE) struct activity activity;
    _Atomic uint32_t process; /* in which it was acquired */
    _Atomic(struct thread *) thread;
    uint32_t id; /* index in all_shards[] */
    uint32_t nmerged;
    struct shard *merged, *next_merged; /* merged into this one; a list */
    size_t counted;                     /* its part of process.totals */
    struct arena arena;
} __attribute__((aligned(CACHE_LINE)));

#define SHARD_GROWS_IN_STEPS true
#include "mm/front/birth.h"
#include "mm/front/state.h"

/* What a child of fork does not inherit: it is zero there. All threads write.
 */
struct process {
    _Atomic uint32_t number; /* 0: not yet known */
    struct totals totals;
    _Atomic uint32_t turn; /* odd: orphans are taken from the second stack */
    /* Those put down in this turn wait in the other stack, for the next. */
    _Alignas(CACHE_LINE) struct tagged orphans[2];
    _Alignas(CACHE_LINE) struct tagged spares;
};

static _Atomic uint32_t last_process; /* number of the latest known */

static always_inline struct process *process(void)
{
    return mem_range.process;
}

static always_inline struct totals *totals(void)
{
    return &process()->totals;
}

/* This process's number. A child takes a new one, whichever of its threads
 * comes first. The number is used up before it is known, so that a child of the
 * child, wherever the child was interrupted, takes another. */
static inline uint32_t process_number(void)
{
    uint32_t n = atomic_load_explicit(&process()->number, memory_order_relaxed);
    if (likely(n))
        return n;
    uint32_t next =
        atomic_fetch_add_explicit(&last_process, 1, memory_order_relaxed) + 1;
    if (atomic_compare_exchange_strong_explicit(&process()->number, &n, next,
                                                memory_order_relaxed,
                                                memory_order_relaxed))
        return next;
    return n;
}

/* ---- states ---------------------------------------------------------- */

/* For the owner of s for good: no other thread changes its state now. Release,
 * paired with the acquire in state_get, as in state_change. */
static inline void state_set(struct shard *s, enum status status)
{
    uint64_t next = state_next(state_get(s), status);
    count_shared();
    atomic_store_explicit(&s->state, next, memory_order_release);
}

/* Release, paired with the acquire of state_get: what was done to the arena
 * under one state is seen under the next. A success needs no acquire: *from is
 * what state_get said, or this function, and as states are counted it is the
 * same change that was acquired there.
 * @return false: *from is the state now, as state_get says it */
static inline bool state_change(struct shard *s, uint64_t *from,
                                enum status status)
{
    uint64_t next = state_next(*from, status);
    count_rmw();
    bool done = atomic_compare_exchange_strong_explicit(
        &s->state, from, next, memory_order_release, memory_order_relaxed);
    *from = done ? next : state_get(s);
    return done;
}

/* ---- threads --------------------------------------------------------- */

/* Of a thread that has none yet: it is never open. */
static struct thread no_thread;
static __thread struct thread *_Atomic self_thread = &no_thread;

static always_inline struct thread *self(void)
{
    return atomic_load_explicit(&self_thread, memory_order_relaxed);
}

static always_inline struct thread *thread_of(const struct shard *s)
{
    return atomic_load_explicit(&s->thread, memory_order_relaxed);
}

static inline void thread_set(struct shard *s, struct thread *t)
{
    t->shard = s;
    t->tag = owner_tag(s->id);
    atomic_store_explicit(&s->thread, t, memory_order_relaxed);
}

static inline struct outbox *outbox_of(const struct shard *s)
{
    return &thread_of(s)->outbox;
}

/* a is the caller's, which is inside, and b has no owner yet, so that no thief
 * may claim b. A thief that reads a's old thread finds it shut, or fails at its
 * CAS of the state; no thief reads b's. */
static inline void threads_swap(struct shard *a, struct shard *b)
{
    struct thread *of_a = thread_of(a);
    thread_set(a, thread_of(b));
    thread_set(b, of_a);
}

/* ---- birth and death --------------------------------------------------- */

static _Atomic uint32_t *shard_below(uint32_t index)
{
    return &shard_at(index)->below;
}

static inline struct shard *shard_pop(struct tagged *stack)
{
    uint32_t i = tagged_pop(stack, shard_below);
    return i == TAGGED_NONE ? NULL : shard_at(i);
}

/* NULL: out of memory, or of ids. */
static cold_noinline struct shard *shard_make(void)
{
    if (shard_count() == MAX_SHARDS)
        return no_memory();
    struct shard *s = mem_record(sizeof *s);
    if (!s)
        return NULL;
    count_rmw();
    s->id = atomic_fetch_add_explicit(&nshards, 1, memory_order_relaxed);
    if (s->id >= MAX_SHARDS)
        return no_memory();
    cache_init(&s->first_thread.cache);
    thread_set(s, &s->first_thread);
    shard_clear(s);
    /* Not 0, which is OWNED: thieves look at whatever is in all_shards[]. */
    atomic_store_explicit(&s->state, SPARE, memory_order_relaxed);
    owner_set(s->id, s);
    atomic_store_explicit(&all_shards[s->id], s, memory_order_release);
    return s;
}

static inline struct shard *shard_pop_spare(void)
{
    return shard_pop(&process()->spares);
}

static inline void shard_push_spare(struct shard *s)
{
    tagged_push(&process()->spares, &s->below, s->id);
}

static inline void shard_push_orphan(struct shard *s)
{
    uint64_t state = state_get(s);
    while (!state_change(s, &state, ORPHAN))
        ; /* no plain store: thieves may claim it, and count */
    uint32_t turn =
        atomic_load_explicit(&process()->turn, memory_order_relaxed);
    tagged_push(&process()->orphans[~turn & 1], &s->below, s->id);
}

/* One of those that wait longest: first in, first out but for those of one
 * turn. Relaxed: turn decides the order only, and either order is right. */
static inline struct shard *shard_pop_orphan(void)
{
    struct process *all = process();
    uint32_t turn = atomic_load_explicit(&all->turn, memory_order_relaxed);
    struct shard *s = shard_pop(&all->orphans[turn & 1]);
    if (s || !(s = shard_pop(&all->orphans[~turn & 1])))
        return s;
    count_shared();
    atomic_store_explicit(&all->turn, turn + 1, memory_order_relaxed);
    return s;
}

static inline size_t shard_check_own(const struct shard *s, enum status status)
{
    return broken(thread_of(s)->open && status > STOLEN,
                  "L1 the thread of a shard that no thread has is not open", s,
                  "its status is", status) +
           broken(thread_of(s)->shard != s,
                  "L2 threads and shards lead to each other", s, "its id is",
                  s->id);
}

#endif
