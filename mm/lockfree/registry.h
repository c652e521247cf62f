/* registry.h - who has which shard: threads and their shards, how shards are
 * made, and where they wait. Nobody locks it.
 *
 *   process ─┬► orphans[0], orphans[1]   tagged stacks: one to put down on,
 *            │                           one to take from, in turns
 *            └► spares                   a tagged stack
 */
#ifndef MM_LOCKFREE_REGISTRY_H
#define MM_LOCKFREE_REGISTRY_H

#include "mm/lockfree/shard.h"

#include "mm/front/birth.h"
#include "mm/front/owners.h"
#include "mm/front/state.h"

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
    owner_set_first(s->id, s);
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
