/* thread.h - a thread's record: its cache and its shard, how they come and go.
 *
 *   thread ─► self ─► record ─┬─► cache   blocks of any owner, for it alone
 *                             ├─► outbox  others' blocks, on their way home
 *                             └─► shard   what it allocates from
 *
 * A record is made at a thread's first allocation, and kept for the next thread
 * when this one ends: by the hook, or by a key's destructor. Threads that only
 * free need none. What the program's own destructors allocate after ours is
 * served with a record for that one call: nobody would take it back later. */
#ifndef MM_ARENA_THREAD_H
#define MM_ARENA_THREAD_H

#include "mm/arena/remote.h"
#include "mm/front/novice.h"

static struct thread *free_threads;  /* records; under the registry's lock */
static _Atomic size_t nthreads;      /* records made; written under it */
static pthread_key_t thread_key;     /* calls thread_end */
static __thread struct thread *self; /* NULL: not yet, or no longer */
static __thread bool ending;         /* thread_end was called */

/* The next of the fixed array, which grows to its size at first. */
static struct shard *favorite_acquire(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t most = (uint32_t)min_size(2 * (size_t)processors, MM_MAX_ARENAS);
    struct shard *s = shard_count() < most ? shard_new() : NULL;
    return s ? s : shard_shared();
}

/* This thread's record, made now. NULL: out of memory. */
static cold_noinline struct thread *thread_attach(void)
{
    lock_take(&registry.lock);
    struct thread *t = free_threads;
    if (t)
        free_threads = t->next;
    else if ((t = mem_record(sizeof *t)) != NULL)
        atomic_fetch_add_explicit(&nthreads, 1, memory_order_relaxed);
    struct shard *s = NULL;
    if (t)
        s = ARENA_FAVORITE ? favorite_acquire() : shard_acquire();
    if (s) {
        cache_init(&t->cache);
        t->outbox = (struct outbox){0};
        t->shard = s;
        self = t;
    } else if (t) {
        t->next = free_threads;
        free_threads = t;
    }
    lock_drop(&registry.lock);
    if (self)
        pthread_setspecific(thread_key, t);
    else
        errno = ENOMEM;
    return self;
}

/* Is this thread, which has no record, to do without for this call? Relaxed: a
 * number to decide by. */
static inline bool stays_novice(void)
{
    return is_novice(atomic_load_explicit(&nthreads, memory_order_relaxed));
}

/* A shard for one call of a novice. NULL: out of memory. */
static inline struct shard *shard_borrow(void)
{
    lock_take(&registry.lock);
    struct shard *s = ARENA_FAVORITE ? favorite_acquire() : shard_acquire();
    lock_drop(&registry.lock);
    return s;
}

static inline void shard_return(struct shard *s)
{
    if (ARENA_FAVORITE)
        return;
    lock_take(&registry.lock);
    shard_release(s);
    lock_drop(&registry.lock);
}

/* The thread is done: its cache goes to the owners, its shard becomes an
 * orphan. */
static void thread_detach(void)
{
    struct thread *t = self;
    if (!t)
        return;
    cache_flush(t);
    if (!ARENA_FAVORITE)
        shard_rest(t->shard);
    lock_take(&registry.lock);
    if (!ARENA_FAVORITE)
        shard_release(t->shard);
    t->next = free_threads;
    free_threads = t;
    lock_drop(&registry.lock);
    self = NULL;
    pthread_setspecific(thread_key, NULL);
}

static void thread_end(void *record)
{
    (void)record;
    ending = true;
    thread_detach();
}

/* In a fork's child: the other threads are gone. What was in their caches is
 * lost; their shards are whole, for fork waited for their locks. */
static void thread_fork_child(void)
{
    uint32_t n = shard_count();
    for (uint32_t i = 0; i < n && !ARENA_FAVORITE; i++) {
        struct shard *s = shard_at(i);
        bool mine = self && self->shard == s;
        if (s->users && !mine)
            shard_push_orphan(s);
        s->users = mine;
    }
    shards_fork_parent();
}

#endif
