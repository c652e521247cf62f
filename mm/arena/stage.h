/* stage.h - stage three: a front end before each thread's arena.
 *
 * Against per_thread/stage.h: before the arena a cache of blocks, so that most
 * operations take no lock at all; others' blocks go home in batches; and an
 * arena whose thread is gone is merged into one that would have to grow.
 *
 *   thread ─► cache ── miss, in batches ───► its own arena, under its lock
 *               └──── too full, in batches ──► its own arena, or the outbox
 *                                              ─► mail of the block's owner,
 *                                                 under his lock
 *
 * Shards (shard.h) are arenas with a lock, an id and a fate: who owns a block,
 * and what becomes of an arena whose thread is gone. How blocks get home is in
 * remote.h, how threads come and go in thread.h.
 *
 * Variants, for comparison (set by the Makefile):
 *   arena           as drawn
 *   arena-favorite  a fixed array of 2 shards per processor; a thread tries the
 *                   one that it used last, then the next ones, and only then
 *                   waits (after Larson & Krishnan, 1998, and ptmalloc) */
#ifndef MM_ARENA_STAGE_H
#define MM_ARENA_STAGE_H

#include "mm/arena/check.h"
#include "mm/arena/thread.h"
#include "mm/engine/usage.h"
#include "mm/front/huge.h"

#define STAGE_NAME (ARENA_FAVORITE ? "arena-favorite" : "arena")
#define STAGE_SUMMARY                                                          \
    (ARENA_FAVORITE ? "stage 3 with 2 arenas per processor: the first free"    \
                    : "stage 3: an arena per thread, a thread cache")

/* Lock the first shard that is free, from the favorite on. NULL: none is. */
static inline struct shard *favorite_lock(struct thread *t)
{
    uint32_t n = shard_count(), at = t->shard->id;
    for (uint32_t i = 0; i < n; i++) {
        struct shard *s = shard_at((at + i) % n);
        if (lock_try(&s->lock))
            return t->shard = s;
    }
    return NULL;
}

/* Lock the shard that this thread allocates from, and free what waits for
 * that. */
static inline struct shard *own_lock(struct thread *t)
{
    if (!ARENA_FAVORITE || !favorite_lock(t))
        lock_take(&t->shard->lock);
    t->shard->uses++;
    if (unlikely(t->shard->mail != NULL))
        take_mail(t);
    return t->shard;
}

/* ---- malloc ---------------------------------------------------------- */

static inline void *arena_take(struct arena *a, size_t align, size_t size)
{
    return align > ALIGN ? arena_memalign(a, align, size)
                         : arena_malloc(a, size);
}

/* Take a block from a shard that may grow for it. */
static inline void *shard_grow(struct shard *s, size_t align, size_t size)
{
    struct heap *h = &s->arena.heap;
    h->fixed = false;
    void *p = arena_take(&s->arena, align, size);
    h->fixed = true;
    return p;
}

/* Free what others could use before the heap grows, and go to an orphan's
 * memory, or take it in.
 * @param need  bytes of a block; 0: not so much as to look for an orphan
 * @return this thread's shard, locked as before, but it may be another */
static struct shard *own_relieve(struct thread *t, struct shard *s, bool flush,
                                 size_t need)
{
    lock_drop(&s->lock);
    if (flush)
        cache_flush(t);
    struct shard *to = need ? shard_relieve(t->shard, need) : NULL;
    if (to)
        t->shard = to;
    return own_lock(t);
}

/* A block of any shard that has one. NULL: there is none; errno stays. */
static void *take_anywhere(size_t align, size_t size)
{
    void *p = NULL;
    for (uint32_t i = 0; i < shard_count() && !p; i++) {
        struct shard *s = shard_at(i);
        lock_take(&s->lock);
        shard_free_mail(s);
        p = shard_grow(s, align, size);
        lock_drop(&s->lock);
    }
    return p;
}

/* As own_take, if *s has no such block: make room, or grow. */
static cold_noinline void *own_take_more(struct thread *t, struct shard **s,
                                         size_t align, size_t size)
{
    void *p = NULL;
    bool flush = cache_worth(&t->cache, (*s)->arena.heap.size, size);
    bool orphan =
        atomic_load_explicit(&registry.norphans, memory_order_relaxed);
    if (flush || orphan) {
        *s = own_relieve(t, *s, flush, orphan ? request_most(align, size) : 0);
        p = arena_take(&(*s)->arena, align, size);
    }
    if (!p)
        p = shard_grow(*s, align, size);
    if (!p) { /* no memory: whatever the cache still holds */
        *s = own_relieve(t, *s, true, NEVER_RICH);
        p = shard_grow(*s, align, size);
    }
    if (!p) {
        lock_drop(&(*s)->lock);
        p = take_anywhere(align, size);
        *s = own_lock(t);
    }
    return p;
}

/* Take a block from this thread's shard *s, which is locked, and on return. */
static void *own_take(struct thread *t, struct shard **s, size_t align,
                      size_t size)
{
    void *p = arena_take(&(*s)->arena, align, size);
    if (unlikely(!p))
        p = own_take_more(t, s, align, size);
    shard_took(*s);
    return p;
}

/* The bin is empty: mail fills it, or a batch. @return one block, or NULL */
static cold_noinline void *bin_refill(struct thread *t, size_t i)
{
    struct shard *s = own_lock(t);
    void *p = bin_pop(&t->cache, i), *q;
    p = p ? p : own_take(t, &s, ALIGN, bin_bytes(i));
    unsigned n = bin_grow(&t->cache, i, s->arena.heap.size);
    while (p && --n && t->cache.rooms[i] > 0 &&
           (q = arena_malloc(&s->arena, bin_bytes(i))) != NULL)
        bin_push(&t->cache, i, q);
    lock_drop(&s->lock);
    return p;
}

static void *malloc_unattached(size_t align, size_t size);

/* All that the cache does not serve. */
static cold_noinline void *malloc_slow(size_t align, size_t size)
{
    struct thread *t = self;
    if (unlikely(size > HUGE_OVER))
        return huge_malloc(align, size);
    if (unlikely(!t))
        return malloc_unattached(align, size);
    size += size == 0; /* as good as 1 */
    if (size <= BIN_MAX && align <= ALIGN)
        return bin_refill(t, request_bin(size));
    struct shard *s = own_lock(t);
    void *p = own_take(t, &s, align, size);
    lock_drop(&s->lock);
    return p;
}

/* A novice's block. NULL: the shard that it borrowed has none, and no memory.
 */
static void *malloc_aside(size_t align, size_t size)
{
    struct shard *s = shard_borrow();
    if (!s)
        return NULL;
    align = max_size(align, NOVICE_LINE);
    size = novice_size(size);
    lock_take(&s->lock);
    shard_free_mail(s);
    void *p = arena_take(&s->arena, align, size);
    p = p ? p : shard_grow(s, align, size);
    shard_took(s);
    lock_drop(&s->lock);
    shard_return(s);
    return p;
}

/* The thread's first blocks; or a destructor's, after the thread's end. */
static void *malloc_unattached(size_t align, size_t size)
{
    void *p = !ending && stays_novice() ? malloc_aside(align, size) : NULL;
    if (p)
        return p;
    p = thread_attach() ? malloc_slow(align, size) : NULL;
    if (ending)
        thread_detach();
    return p;
}

/* ---- hooks ----------------------------------------------------------- */

static always_inline void *stage_malloc(size_t size)
{
    struct thread *t = self;
    size_t i = request_bin(size);
    if (likely(t && i < NBINS)) {
        void *p = bin_pop(&t->cache, i);
        if (likely(p != NULL))
            return p;
    }
    return malloc_slow(ALIGN, size);
}

static cold_noinline void free_slow(void *p)
{
    if (likely(self != NULL))
        thread_free(self, p);
    else
        free_now(p);
}

/* p was pushed on bin i, which is over its limit now. */
static cold_noinline void bin_over(struct thread *t, size_t i, void *p)
{
    if (i == 0)
        mm_die("double free, or a pointer that malloc never returned", p);
    bin_flush(t, i, t->cache.bins[i].limit / 2);
}

/* tag: of p's page */
static always_inline void stage_free(void *p, uint32_t tag)
{
    struct thread *t = self;
    if (likely(t != NULL)) {
        size_t i = payload_bin(p, tag);
        if (likely(i < NBINS)) {
            if (unlikely(p == t->cache.heads[i]))
                free_twice(p);
            else if (unlikely(bin_push(&t->cache, i, p)))
                bin_over(t, i, p);
            return;
        }
    }
    free_slow(p);
}

/* p, of bin from, grows by moving to a block that waits in bin to: that costs
 * less than to look whether the memory beside p is free. NULL: p stays. */
static inline void *grow_by_bins(void *p, size_t from, size_t to, size_t size)
{
    struct thread *t = self;
    size_t usable = arena_usable(p);
    if (!t || size <= usable || to >= NBINS || from - 1 >= NBINS - 1)
        return NULL;
    void *q = bin_pop(&t->cache, to);
    if (!q)
        return NULL;
    memcpy(q, p, usable);
    stage_free(p, page_tag(p));
    return q;
}

/* The shard that p lies in, locked; NULL: it is another's, who is at work, and
 * p not so large that to copy or to keep it all costs more than to wait. */
static inline struct shard *resize_lock(const void *p)
{
    bool own = self && owner_root(p) == self->shard;
    return own || arena_usable(p) >= WAIT_BYTES ? owner_lock(p) : owner_try(p);
}

static inline void *stage_resize(void *p, size_t size)
{
    size_t to = request_bin(size), from = payload_bin(p, page_tag(p));
    if (to == from)
        return p;
    void *q = grow_by_bins(p, from, to, size);
    if (q)
        return q;
    struct shard *s = resize_lock(p);
    if (!s)
        return size <= arena_usable(p) ? p : NULL;
    s->arena.heap.fixed = false;
    q = arena_resize(&s->arena, p, size);
    s->arena.heap.fixed = true;
    shard_took(s);
    lock_drop(&s->lock);
    return q;
}

static inline void *stage_memalign(size_t align, size_t size)
{
    return malloc_slow(align, size);
}

static inline size_t stage_usable(const void *p)
{
    return arena_usable(p);
}

static int stage_thread_init(void)
{
    return self || thread_attach() ? 0 : -1;
}

static void stage_thread_exit(void)
{
    thread_detach();
}

static size_t stage_check(void)
{
    return shards_check();
}

static size_t stage_used(void)
{
    size_t used = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        lock_take(&s->lock);
        shard_free_mail(s);
        used += arena_used(&s->arena);
        lock_drop(&s->lock);
    }
    return used - (self ? thread_bytes(self) : 0);
}

static size_t stage_trim(void)
{
    size_t given = 0;
    if (self)
        cache_flush(self);
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        lock_take(&s->lock);
        shard_free_mail(s);
        given += heap_trim(&s->arena.heap);
        lock_drop(&s->lock);
    }
    return given;
}

static size_t stage_metadata(void)
{
    return mem_recordsize() + sizeof shards;
}

static int stage_init(void)
{
    return shards_init(thread_fork_child) ||
           pthread_key_create(&thread_key, thread_end);
}

/* @pre no other thread is left that used it */
static void stage_fini(void)
{
    pthread_key_delete(thread_key);
    free_threads = NULL;
    atomic_store_explicit(&nthreads, 0, memory_order_relaxed);
    self = NULL;
    shards_fini();
}

#endif
