/* stage.h - stage four: no lock, no wait, anywhere.
 *
 * Against arena/stage.h: an arena is not locked but owned, by one thread at a
 * time (shard.h). What was done under another's lock is sent to him instead.
 *
 *   thread ─► cache ── miss, in batches ───► its own arena: plain code
 *               └──── too full, in batches ──► its own arena, or the outbox
 *                                              ─► inbox of the block's owner
 *
 * Signals. While a thread is inside, open is 0: two plain stores on the way of
 * every operation, and no more tests than the cache's bound is one anyway. A
 * handler that interrupts it so finds no bin open, and takes the side way: its
 * malloc borrows an orphan arena, or a new one, for that one call; its free is
 * sent to the block's owner, the thread itself perhaps. Handlers inside
 * handlers do the same. So do threads that have ended.
 *
 * A thread that is stopped anywhere, for good, costs at most the memory that it
 * owns: the others see a shard whose thread is inside, and leave it alone. */
#ifndef MM_LOCKFREE_STAGE_H
#define MM_LOCKFREE_STAGE_H

#include "mm/lockfree/check.h"
#include "mm/lockfree/usage.h"

#define STAGE_NAME "lockfree"
#define STAGE_SUMMARY "stage 4: no lock: owned arenas, inboxes by CAS"
#define STAGE_STARTS true /* without init: nobody's malloc is a slow one */

/* ---- taking ------------------------------------------------------------ */

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

/* A block of any shard that rests. NULL: there is none; errno stays. */
static cold_noinline void *take_anywhere(struct shard *s, size_t align,
                                         size_t size)
{
    void *p = NULL;
    for (uint32_t i = 0; i < shard_count() && !p; i++) {
        struct shard *other = shard_at(i);
        if (!other || other == s || !shard_steal(other))
            continue;
        shard_tend(other, s);
        p = shard_grow(other, align, size);
        shard_give_back(other);
    }
    return p;
}

/* As take, if *s has no such block: make room, or grow. */
static cold_noinline void *take_more(struct shard **s, size_t align,
                                     size_t size)
{
    void *p = NULL;
    bool flush = cache_worth(&seat_of(*s)->cache, (*s)->arena.heap.size, size);
    if (flush)
        cache_flush(*s);
    shard_free_mail(*s, *s);
    struct shard *to = shard_relieve(*s, request_most(align, size));
    if (to)
        *s = to;
    if (flush || to)
        p = arena_take(&(*s)->arena, align, size);
    if (!p)
        p = shard_grow(*s, align, size);
    if (!p) { /* no memory: whatever waits anywhere */
        cache_flush(*s);
        while (shard_adopt(*s))
            ;
        p = shard_grow(*s, align, size);
    }
    return p ? p : take_anywhere(*s, align, size);
}

/* Take a block from this thread's shard *s, which is entered, and on return. */
static inline void *take(struct shard **s, size_t align, size_t size)
{
    void *p = arena_take(&(*s)->arena, align, size);
    if (unlikely(!p))
        p = take_more(s, align, size);
    took(*s);
    return p;
}

/* Bin i is empty: fetch a batch into it. @return one block more, or NULL */
static inline void *refill(struct shard **s, size_t i)
{
    struct cache *c = &seat_of(*s)->cache; /* stays with the thread */
    void *p = bin_pop(c, i), *q;
    if (p)
        return p;
    p = take(s, ALIGN, i * 8);
    unsigned n = bin_grow(c, i, (*s)->arena.heap.size);
    while (p && --n && (q = arena_malloc(&(*s)->arena, i * 8)) != NULL)
        bin_push(c, i, q);
    return p;
}

/* ---- the side way ------------------------------------------------------ */

/* In a handler that interrupted us, or after the thread's end: from a shard
 * that is borrowed for this one call. */
static void *malloc_aside(size_t align, size_t size)
{
    struct shard *s = shard_acquire();
    if (!s)
        return NULL;
    drain(s);
    void *p = take(&s, align, size);
    cache_flush(s);
    shard_push_orphan(s);
    return p;
}

/* All that the cache does not serve. */
static cold_noinline void *malloc_slow(size_t align, size_t size)
{
    if (unlikely(size > MAX_REQUEST))
        return no_memory();
    if (unlikely(!mem_range.size) && threads_start_alone())
        return no_memory();
    size += size == 0; /* as good as 1 */
    struct shard *s = own_or_attach();
    if (unlikely(!s))
        return malloc_aside(align, size);
    drain(s);
    size_t i = request_bin(size);
    void *p =
        i < NBINS && align <= ALIGN ? refill(&s, i) : take(&s, align, size);
    disown(s);
    return p;
}

/* ---- hooks ----------------------------------------------------------- */

static always_inline void *stage_malloc(size_t size)
{
    struct seat *t = self();
    size_t i = request_bin(size);
    if (likely(i < t->open)) {
        enter(t);
        void *p = bin_pop(&t->cache, i);
        leave(t);
        if (likely(p != NULL))
            return p;
    }
    return malloc_slow(ALIGN, size);
}

/* Bin i of s, which is entered, is over its limit. */
static cold_noinline void free_over(struct seat *t, size_t i, void *p)
{
    if (i == 0)
        mm_die("double free, or a pointer that malloc never returned", p);
    int saved = errno;
    leave(t);
    struct shard *s = own();
    if (s) {
        bin_flush(s, i, seat_of(s)->cache.bins[i].limit / 2);
        disown(s);
    } else { /* stolen, and no memory for another: the bin must not grow */
        enter(t);
        p = bin_pop(&t->cache, i);
        leave(t);
        if (p)
            send(p, p);
    }
    errno = saved;
}

/* p belongs into no bin, or there is none. */
static cold_noinline void free_slow(void *p)
{
    int saved = errno;
    struct shard *s = own_or_attach();
    if (likely(s)) {
        free_block(s, &seat_of(s)->outbox, p);
        disown(s);
    } else {
        send(p, p);
    }
    errno = saved; /* there may have been no memory for a shard */
}

static always_inline void free_to_bin(size_t i, void *p)
{
    struct seat *t = self();
    if (unlikely(i >= t->open)) {
        free_slow(p);
        return;
    }
    if (unlikely(p == t->cache.heads[i])) {
        free_twice(p);
        return;
    }
    enter(t);
    if (unlikely(bin_push(&t->cache, i, p)))
        free_over(t, i, p);
    else
        leave(t);
}

/* Written out for each kind of block: a jump less. */
static always_inline void stage_free(void *p, uint32_t tag)
{
    unsigned run_class = tag & TAG_CLASS;
    if (run_class)
        free_to_bin(run_bin(run_class), p);
    else
        free_to_bin(header_bin(header_read_remote(payload_block(p))), p);
}

/* p, of bin from, grows by moving to a block that waits in bin to: that costs
 * less than to look whether the memory beside p is free. NULL: p stays. */
static always_inline void *grow_by_bins(void *p, size_t from, size_t to,
                                        size_t size)
{
    struct seat *t = self();
    size_t usable = arena_usable(p);
    if (size <= usable || to >= t->open || from - 1 >= NBINS - 1)
        return NULL;
    enter(t);
    void *q = bin_pop(&t->cache, to);
    leave(t);
    if (!q)
        return NULL;
    memcpy(q, p, usable);
    free_to_bin(from, p);
    return q;
}

/* In place only if the block is the thread's own. */
static inline void *stage_resize(void *p, size_t size)
{
    size_t to = request_bin(size), from = payload_bin(p, page_tag(p));
    if (to == from)
        return p;
    void *q = grow_by_bins(p, from, to, size);
    if (q)
        return q;
    q = size <= arena_usable(p) ? p : NULL;
    struct shard *s = own();
    if (!s)
        return q;
    if (owner_of(p) == s) {
        s->arena.heap.fixed = false;
        q = arena_resize(&s->arena, p, size);
        s->arena.heap.fixed = true;
        took(s);
    }
    disown(s);
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

/* ---- threads and processes --------------------------------------------- */

static int stage_init(void)
{
    return threads_start();
}

static int stage_thread_init(void)
{
    return self() != &nobody || attach() ? 0 : -1;
}

static void stage_thread_exit(void)
{
    thread_detach();
}

static size_t stage_check(void)
{
    struct shard *s = own(); /* notes that the process is a child */
    if (s)
        disown(s);
    return shards_check();
}

static size_t stage_used(void)
{
    return for_all_shards(shard_used);
}

static size_t stage_trim(void)
{
    return for_all_shards(shard_trim);
}

static size_t stage_metadata(void)
{
    return mem_recordsize() + 2 * shard_count() * sizeof *records;
}

/* @pre no other thread is left that used it */
static void stage_fini(void)
{
    threads_fini();
    for (uint32_t i = shard_count(); i-- > 0;) {
        atomic_store_explicit(&records[i], NULL, memory_order_relaxed);
        atomic_store_explicit(&owners[i], NULL, memory_order_relaxed);
    }
    atomic_store_explicit(&nshards, 0, memory_order_relaxed);
}

#endif
