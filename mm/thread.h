/* thread.h - a thread's record: its cache and its shard, how they come and go.
 *
 *   thread ─► self ─► record ─┬─► cache   blocks of any owner, for it alone
 *                             ├─► outbox  others' blocks, on their way home
 *                             └─► shard   what it allocates from
 *
 * What a thread frees of others' waits in its outbox (outbox.h) until it is
 * worth taking the owner's lock: his lock, his lists and the borders of his
 * blocks then move between the processors once for many blocks.
 *
 * A record is made at a thread's first allocation, and kept for the next thread
 * when this one ends: by the hook, or by a key's destructor. Threads that only
 * free need none. What the program's own destructors allocate after ours is
 * served with a record for that one call: nobody would take it back later. */
#ifndef MM_THREAD_H
#define MM_THREAD_H

#include "mm/cache.h"
#include "mm/outbox.h"
#include "mm/shard.h"

#ifndef ARENA_CACHED
#define ARENA_CACHED 1
#endif
#ifndef ARENA_FAVORITE
#define ARENA_FAVORITE 0
#endif

struct thread {
    struct cache cache;
    struct outbox outbox;
    struct letter late;  /* the shard's own: freed as soon as it is locked */
    struct shard *shard; /* of this thread; or the favorite */
    struct thread *next; /* free records */
} __attribute__((aligned(64)));

static struct thread *free_threads;  /* records; under the registry's lock */
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
    else
        t = mem_record(sizeof *t);
    struct shard *s = NULL;
    if (t)
        s = ARENA_FAVORITE ? favorite_acquire() : shard_acquire();
    if (s) {
        cache_init(&t->cache);
        t->outbox = (struct outbox){0};
        t->late = (struct letter){0};
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

/* Free a chain of blocks, each to its owner. Each owner's lock is taken once:
 * what others own waits for the next turn. */
static void free_chain(void *p)
{
    while (p) {
        struct shard *s = owner_lock(p);
        void *others = NULL;
        while (p) {
            void *next = *(void **)p;
            if (likely(owner_root(p) == s)) {
                arena_free(&s->arena, p);
            } else {
                *(void **)p = others;
                others = p;
            }
            p = next;
        }
        lock_drop(&s->lock);
        p = others;
    }
}

/* ---- what is freed ---------------------------------------------------- */

static cold_noinline void letter_post(struct letter *l)
{
    if (!l->to)
        return;
    l->to = NULL;
    free_chain(l->first);
}

static inline void outbox_post(struct outbox *o)
{
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        letter_post(&o->slots[i]);
}

/* p, which belongs to another shard, starts on its way. */
static inline void outbox_add(struct outbox *o, struct shard *to, void *p)
{
    struct letter *l = outbox_slot(o, to->id);
    if (unlikely(l->to != to))
        letter_post(l);
    if (unlikely(letter_add(l, to, p, arena_usable(p))))
        letter_post(l);
}

/* Free the chain of t's own blocks that waits. @pre t's shard is locked */
static inline void own_free_late(struct thread *t)
{
    if (!t->late.to)
        return;
    t->late.to = NULL;
    for (void *p = t->late.first, *next; p; p = next) {
        next = *(void **)p;
        arena_free(&t->shard->arena, p);
    }
}

/* Free p, which belongs into no bin: not now, which would take a lock. What is
 * t's own waits until t locks its shard anyway, to take memory from it: to the
 * heap that is as good as now. */
static inline void thread_free(struct thread *t, void *p)
{
    struct shard *owner = owner_root(p);
    if (ARENA_FAVORITE || owner != t->shard)
        outbox_add(&t->outbox, owner, p);
    else if (letter_add(&t->late, owner, p, arena_usable(p)))
        letter_post(&t->late);
}

/* Free a chain of blocks: what is t's own now, the rest through its outbox.
 * Needs no lock to tell: while t uses its shard, nothing leads away from it. */
static cold_noinline void thread_free_chain(struct thread *t, void *p)
{
    void *mine = NULL, **last = &mine;
    while (p) {
        void *next = *(void **)p;
        struct shard *owner = owner_root(p);
        if (likely(owner == t->shard)) {
            *last = p;
            last = p;
        } else {
            outbox_add(&t->outbox, owner, p);
        }
        p = next;
    }
    *last = NULL;
    free_chain(mine);
}

/* Bin i is over its limit: give back all but the keep newest blocks. */
static cold_noinline void bin_flush(struct thread *t, size_t i, unsigned keep)
{
    void *chain = bin_cut(&t->cache, i, keep);
    bin_shrink(&t->cache, i);
    thread_free_chain(t, chain);
}

/* Others need the memory more: this says nothing of the limits. */
static cold_noinline void cache_flush(struct thread *t)
{
    for (size_t i = 1; i < NBINS; i++)
        if (t->cache.heads[i])
            thread_free_chain(t, bin_cut(&t->cache, i, 0));
    outbox_post(&t->outbox);
    letter_post(&t->late);
}

static inline size_t letter_bytes(const struct letter *l)
{
    return l->to ? chain_bytes(l->first) : 0;
}

/* Bytes that wait with t, with headers. */
static inline size_t thread_bytes(const struct thread *t)
{
    size_t bytes = cache_bytes(&t->cache) + letter_bytes(&t->late);
    for (unsigned i = 0; i < OUTBOX_SLOTS; i++)
        bytes += letter_bytes(&t->outbox.slots[i]);
    return bytes;
}

/* ---- the end ----------------------------------------------------------- */

/* The thread is done: its cache goes to the owners, its shard becomes an
 * orphan. */
static void thread_detach(void)
{
    struct thread *t = self;
    if (!t)
        return;
    cache_flush(t);
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
