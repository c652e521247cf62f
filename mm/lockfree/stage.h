/* stage.h - stage four: no lock, no wait, anywhere.
 *
 * Against arena/stage.h: an arena is not locked but owned, by one thread at a
 * time (shard.h). What the arena stage does under another's lock is sent to its
 * owner instead.
 *
 *   thread ─► cache ── miss, a slab's list ──► its own arena: plain code
 *          │    └───── no room, block by block ─► its own arena: plain code
 *          └─► outbox ─ others', in batches ─────► inbox of the block's owner
 *
 * Signals. While a thread is inside, open is 0. That costs every operation two
 * plain stores, and no test: requests are compared with open anyway. A handler
 * that interrupts the thread inside finds no bin open, and takes the side way:
 * its malloc borrows an orphan arena, or a new one, for that one call; its free
 * is sent to the block's owner, the thread itself perhaps. Handlers inside
 * handlers do the same. So do threads that have ended.
 *
 * A thread that is stopped anywhere, for good, costs at most the memory that it
 * owns: the others see a shard whose thread is inside, and leave it alone. */
#ifndef MM_LOCKFREE_STAGE_H
#define MM_LOCKFREE_STAGE_H

#include "mm/lockfree/thread.h"

#include "mm/front/census.h"
#include "mm/front/check.h"
#include "mm/front/front.h"

#define STAGE_NAME "lockfree"
#define STAGE_SUMMARY "stage 4: no lock: owned arenas, inboxes by CAS"
#define STAGE_STARTS true /* without init: no_thread's malloc is a slow one */

/* ---- the side way ------------------------------------------------------ */

/* In a handler that interrupted us, in a novice, or after the thread's end:
 * from a shard that is borrowed for this one call. Nothing stays in its struct.
 */
static void *malloc_aside(size_t align, size_t size)
{
    if (unlikely(!mem_range.size))
        return no_memory();
    struct shard *s = shard_acquire();
    if (!s)
        return NULL;
    shard_free_inbox(s, s);
    void *p = shard_take(&s, max_size(align, NOVICE_LINE), novice_size(size));
    outbox_post(&thread_of(s)->outbox);
    shard_count_resident(s);
    shard_push_orphan(s);
    return p;
}

static void free_aside(void *p)
{
    send(p, p);
}

/* A thread that only frees needs an outbox, too. */
static inline struct shard *shard_enter_to_free(void)
{
    return shard_enter_or_attach();
}

static inline struct shard *shard_enter_to_resize(const void *p)
{
    struct shard *s = shard_enter();
    if (!s || owner_of(p) == s)
        return s;
    shard_exit(s);
    return NULL;
}

/* ---- threads and processes --------------------------------------------- */

/* Give up all structs of the thread but t, which it uses. The shards of those
 * that are shut are lost. No handler may find one that is given up. */
static cold_noinline void threads_give_up(struct thread *t)
{
    uint64_t before = signals_block();
    for (struct thread *o = t->next, *next; o != t; o = next) {
        next = o->next;
        atomic_store_explicit(&self_thread, o, memory_order_relaxed);
        struct shard *s = shard_enter();
        if (!s)
            continue;
        shard_empty(s);
        shard_push_orphan(s);
    }
    atomic_store_explicit(&self_thread, t, memory_order_relaxed);
    t->next = t;
    signals_restore(before);
}

/* The thread is done: what it cached goes to the owners, its shard becomes an
 * orphan. If it ends inside, from a handler, the shard is lost. */
static void stage_thread_exit(void)
{
    if (self() != &no_thread && self()->next != self())
        threads_give_up(self());
    struct shard *s = shard_enter();
    if (s)
        shard_empty(s);
    if (self() == &no_thread)
        return;
    pthread_setspecific(thread_key, NULL); /* first: a handler may attach */
    atomic_store_explicit(&self_thread, &no_thread, memory_order_relaxed);
    if (s)
        shard_push_orphan(s);
}

static size_t stage_check(void)
{
    struct shard *s = shard_enter(); /* notes that the process is a child */
    if (s)
        shard_exit(s);
    return shards_check();
}

/* The struct thread of a shard that no thread has is empty. */
static inline void shard_census_threads(const struct shard *s,
                                        struct threads_census *t)
{
    thread_census(thread_of(s), t);
    if (status_of(state_get(s)) > STOLEN)
        t->tid = 0;
}

#define STAGE_VIEW VIEW_FRONT, VIEW_IN(shard, thread)

#endif
