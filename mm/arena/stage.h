/* stage.h - stage three: a front end before each thread's arena.
 *
 * Against per_thread/stage.h: before the arena a cache of blocks, so that most
 * operations take no lock at all; others' blocks go home in batches; and an
 * arena whose thread is gone serves a thread whose own would have to grow.
 *
 *   thread ─► cache ── miss, a slab's list ──► its own arena, under its lock
 *          │    └───── no room, block by block ─► its own arena, under its lock
 *          └─► outbox ─ others', in batches ─────► inbox of the block's owner
 *
 * All that is drawn is in mm/front/. This stage says which thread may touch an
 * arena: the one that has its lock (shard.h). How threads come and go is in
 * thread.h, what others may do to a shard in remote.h.
 *
 * Variants, for comparison (set by the Makefile):
 *   arena           as drawn
 *   arena-favorite  a fixed array of 2 shards per processor; a thread tries the
 *                   one that it used last, then the next ones, and only then
 *                   waits (after Larson & Krishnan, 1998, and ptmalloc) */
#ifndef MM_ARENA_STAGE_H
#define MM_ARENA_STAGE_H

#include "mm/arena/thread.h"

#include "mm/front/census.h"
#include "mm/front/check.h"
#include "mm/front/front.h"

#define STAGE_NAME (ARENA_FAVORITE ? "arena-favorite" : "arena")
#define STAGE_SUMMARY                                                          \
    (ARENA_FAVORITE ? "stage 3 with 2 arenas per processor: the first free"    \
                    : "stage 3: an arena per thread, a thread cache")

/* ---- the side way ------------------------------------------------------ */

/* In a novice, or after the thread's end: from a shard that is borrowed for
 * this one call. */
static void *malloc_aside(size_t align, size_t size)
{
    lock_take(&registry.lock);
    struct shard *s = shard_acquire();
    lock_drop(&registry.lock);
    if (!s)
        return no_memory();
    lock_take(&s->lock);
    shard_free_inbox(s, s);
    void *p = shard_take(&s, max_size(align, NOVICE_LINE), novice_size(size));
    shard_exit(s);
    lock_take(&registry.lock);
    shard_release(s);
    lock_drop(&registry.lock);
    return p;
}

static void free_aside(void *p)
{
    struct shard *s = owner_lock(p);
    arena_put(&s->arena, p, page_tag(p));
    shard_exit(s);
}

/* A thread that only frees needs no shard. */
static inline struct shard *shard_enter_to_free(void)
{
    return shard_enter();
}

/* While the owner is at work in the shard, only if p is large: to copy it, or
 * to leave it as it is, then costs more than to wait. */
static inline struct shard *shard_enter_to_resize(const void *p)
{
    bool mine = owner_of(p) == self()->shard;
    return mine || arena_usable(p) >= WAIT_BYTES ? owner_lock(p) : owner_try(p);
}

/* ---- threads and processes --------------------------------------------- */

/* The thread is done: its cache goes to the owners, its shard becomes an
 * orphan. */
static void stage_thread_exit(void)
{
    struct thread *t = self();
    if (t == &no_thread)
        return;
    struct shard *s = shard_enter();
    shard_empty(s);
    shard_exit(s);
    lock_take(&registry.lock);
    shard_release(s);
    thread_put_back(t);
    lock_drop(&registry.lock);
    self_thread = &no_thread;
    pthread_setspecific(thread_key, NULL);
}

static size_t stage_check(void)
{
    return shards_check();
}

/* Acquire, paired with the release in thread_make: it is complete. */
static inline unsynchronized void shard_census_threads(const struct shard *s,
                                                       struct threads_census *t)
{
    const struct thread *at =
        atomic_load_explicit(&all_threads, memory_order_acquire);
    for (; at; at = at->older)
        if (peek(at->open) && peek(at->shard) == s)
            thread_census(at, t);
}

#define STAGE_VIEW VIEW_FRONT, VIEW_AT("all_threads", &all_threads)

#endif
