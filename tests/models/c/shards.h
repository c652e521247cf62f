/* shards.h - a process with a few shards, for the drivers. */
#ifndef SHARDS_H
#define SHARDS_H

#include "checked.h"

#include "mm/lockfree/thread.h"

#define SHARDS_MAX 3

static struct process this_process;
struct mem_range mem_range = {HEAP_RANGE, .size = 1, .process = &this_process,
#ifndef IPI
                              .no_barrier = true
#endif
};
static struct shard shards[SHARDS_MAX];
static _Atomic(struct shard *) unmade; /* all that mem_record has */

int mem_init(void)
{
    return 0;
}

void *mem_record(size_t size)
{
    (void)size;
    return atomic_exchange_explicit(&unmade, NULL, memory_order_relaxed);
}

#ifndef IPI
bool mem_barrier(void)
{
    return true;
}
#endif

/* What slow.h has: nothing waits in bins. */
static void shard_empty(struct shard *s)
{
    shard_free_inbox(s, s);
    outbox_post(&thread_of(s)->outbox);
}

#include "extracted_exit.h" /* stage_thread_exit */

/* Shard id begins with this state. */
static struct shard *shard_set(uint32_t id, uint64_t state)
{
    struct shard *s = &shards[id];
    atomic_store_explicit(&this_process.number, 1, memory_order_relaxed);
    atomic_store_explicit(&nshards, id + 1, memory_order_relaxed);
    s->id = id;
    thread_set(s, &s->first_thread);
    atomic_store_explicit(&s->process, 1, memory_order_relaxed);
    atomic_store_explicit(&s->state, state, memory_order_relaxed);
    arena_init(&s->arena, id);
    owner_set(id, s);
    atomic_store_explicit(&all_shards[id], s, memory_order_release);
    if (status_of(state) == MERGED || status_of(state) == SPARE)
        inbox_close_owner(&s->inbox);
    if (status_of(state) == SPARE)
        shard_push_spare(s);
    if (status_of(state) == ORPHAN)
        tagged_push(&this_process.orphans[0], &s->below, id);
    return s;
}

/* The calling thread sits here. The checker runs no initialiser of a
 * thread-local word: so each thread says so, or that it has none. */
static void sit_down(struct thread *t)
{
    atomic_store_explicit(&self_thread, t, memory_order_relaxed);
}

/* Work in an arena is a plain word, counted once more in the thread's own. */
static int worked[4];

static void work(struct shard *s, int thread)
{
    interrupt_point();
    s->arena.heap.work++;
    worked[thread]++;
    interrupt_point();
}

/* A thread without a shard works in s, if it can steal it. */
static inline void steal_and_work(struct shard *s, int thread)
{
    sit_down(&no_thread);
    if (shard_steal(s)) {
        work(s, thread);
        shard_return(s);
    }
}

/* No work was lost; threads and shards lead to each other (L2). */
static void check_work(uint32_t n)
{
    int all = 0;
    for (uint32_t i = 0; i < n; i++) {
        all += shards[i].arena.heap.work;
        assert(thread_of(&shards[i])->shard == &shards[i]);
    }
    assert(all == worked[0] + worked[1] + worked[2] + worked[3]);
}

#endif
