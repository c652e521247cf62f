/* front.h - malloc, free and realloc of a stage whose threads have bins before
 * their arenas.
 *
 *   malloc ─► bin ── empty: refill, in batches ───► the thread's own arena
 *   free ───► bin ── full: the older half ────────► its arena, or the outbox
 *                                                   ─► inbox of the block's
 *                                                      owner (remote.h)
 *
 * To be included by a stage last of all; the thread's own shard is the stage's
 * business: */
#ifndef MM_FRONT_FRONT_H
#define MM_FRONT_FRONT_H

#include "mm/engine/usage.h"
#include "mm/engine/walk.h"
#include "mm/front/adopt.h"
#include "mm/front/decay.h"
#include "mm/front/huge.h"
#include "mm/front/purge.h"
#include "mm/front/rich.h"

/** This thread's struct; no_thread, which is never open, if it has none. */
static always_inline struct thread *self(void);
/** From here a signal handler of this thread keeps out of its bins. */
static always_inline void enter(struct thread *t);
/** Until here. */
static always_inline void leave(struct thread *t);
/** This thread's shard, its arena the caller's. NULL: it has none now. */
static struct shard *shard_enter(void);
/** The same; a thread that has none gets one. */
static struct shard *shard_enter_or_begin(void);
/** The same, but a novice goes on without (novice.h). */
static inline struct shard *shard_enter_or_attach(void);
/** As shard_enter, for a block that is to be freed. */
static inline struct shard *shard_enter_to_free(void);
/** The shard that p lies in, entered. NULL: this thread may not work there. */
static inline struct shard *shard_enter_to_resize(const void *p);
/** Out of s, which was entered. */
static inline void shard_exit(struct shard *s);
/** s, this thread's, would have to grow for so many bytes: is there an orphan?
 * @return the shard to go on with, entered; NULL: go on with s */
static struct shard *shard_relieve(struct shard *s, size_t asize);
/** A block for a thread that has no shard now. */
static void *malloc_aside(size_t align, size_t size);
/** Free p for a thread that has no shard now. */
static void free_aside(void *p);
/** The thread is done with its shard. */
static void thread_detach(void);

/* ---- what others left -------------------------------------------------- */

/* Take in what was sent: into the bins as long as there is room. */
static inline void drain(struct shard *s)
{
    struct cache *c = &thread_of(s)->cache;
    void *p = shard_take_inbox(s);
    while (p) {
        void *next = *(void **)p;
        if (!bin_take_home(c, p, owner_of(p) == s)) {
            *(void **)p = NULL;
            shard_free_chain(s, p);
        }
        p = next;
    }
}

/* ---- giving back ------------------------------------------------------- */

/* Free all but the keep newest blocks of bin i. */
static inline void bin_free(struct shard *s, size_t i, unsigned keep)
{
    struct cache *c = &thread_of(s)->cache;
    unsigned n = bin_count(c, i) - keep;
    free_chain(s, outbox_of(s), bin_cut(c, i, keep), n);
}

/* Bin i is over its limit: give back all but the keep newest blocks. */
static inline void bin_flush(struct shard *s, size_t i, unsigned keep)
{
    bin_shrink(&thread_of(s)->cache, i);
    bin_free(s, i, keep);
}

/* Others need the memory more: this says nothing of the limits. */
static cold_noinline void cache_flush(struct shard *s)
{
    for (size_t i = 1; i < NBINS; i++)
        if (thread_of(s)->cache.heads[i])
            bin_free(s, i, 0);
    outbox_post(&thread_of(s)->outbox);
}

/* What waits with s, which is entered, goes to the owners, or the system. */
static void shard_empty(struct shard *s)
{
    shard_free_inbox(s, s);
    cache_flush(s);
    if (heap_purgeable(&s->arena.heap) >= PURGE_STEP)
        heap_purge_at_chance(&s->arena.heap);
}

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
    h->may_grow = true;
    void *p = arena_take(&s->arena, align, size);
    h->may_grow = false;
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
        shard_purge(other, s);
        p = shard_grow(other, align, size);
        shard_return(other);
    }
    return p;
}

/* Take an orphan's memory into s. @return whether there was one */
static inline bool shard_adopt(struct shard *s)
{
    return shard_relieve(s, NEVER_RICH) != NULL;
}

/* As shard_take, if *s has no such block: make room, or grow. */
static cold_noinline void *shard_take_more(struct shard **s, size_t align,
                                           size_t size)
{
    void *p = NULL;
    bool flush =
        cache_worth(&thread_of(*s)->cache, (*s)->arena.heap.size, size);
    if (flush)
        cache_flush(*s);
    shard_free_inbox(*s, *s);
    struct shard *to = shard_relieve(*s, request_most(align, size));
    if (to)
        *s = to;
    if (flush || to)
        p = arena_take(&(*s)->arena, align, size);
    if (!p)
        p = shard_grow(*s, align, size);
    if (!p) { /* no memory: whatever waits anywhere */
        cache_flush(*s);
        shard_free_inbox(*s, *s); /* a batch may have been for itself */
        while (shard_adopt(*s))
            ;
        p = shard_grow(*s, align, size);
    }
    return p ? p : take_anywhere(*s, align, size);
}

/* Take a block from this thread's shard *s, which is entered, and on return. */
static inline void *shard_take(struct shard **s, size_t align, size_t size)
{
    void *p = arena_take(&(*s)->arena, align, size);
    if (unlikely(!p))
        p = shard_take_more(s, align, size);
    shard_note_growth(*s);
    return p;
}

/* Bin i is empty: fetch a batch into it. @return one block more, or NULL */
static inline void *refill(struct shard **s, size_t i)
{
    struct cache *c = &thread_of(*s)->cache; /* stays with the thread */
    void *p = bin_pop(c, i), *q;
    if (p)
        return p;
    p = shard_take(s, ALIGN, i * 8);
    unsigned n = bin_grow(c, i, (*s)->arena.heap.size);
    while (p && --n && (q = arena_malloc(&(*s)->arena, i * 8)) != NULL)
        bin_push(c, i, q);
    return p;
}

/* A mapping of its own. NULL, no_room: nor may the heap have room for it. */
static cold_noinline void *map_block(struct shard *s, size_t align, size_t size,
                                     bool *no_room)
{
    if (s)
        shard_exit(s);
    void *p = mem_range.size ? huge_malloc(align, size) : no_memory();
    *no_room = !p && !(mem_range.size && heap_may_hold(size));
    return p;
}

/* All that the cache does not serve. */
static cold_noinline void *malloc_slow(size_t align, size_t size)
{
    struct shard *s = shard_enter_or_attach(); /* which starts memlib, too */
    if (unlikely(size > HUGE_OVER)) {
        bool no_room;
        void *mapped = map_block(s, align, size, &no_room);
        if (mapped || no_room)
            return mapped;
        s = shard_enter_or_attach();
    }
    size += size == 0; /* as good as 1 */
    if (unlikely(!s))
        return malloc_aside(align, size);
    drain(s);
    size_t i = request_bin(size);
    void *p = i < NBINS && align <= ALIGN ? refill(&s, i)
                                          : shard_take(&s, align, size);
    shard_exit(s);
    return p;
}

/* ---- hooks ------------------------------------------------------------- */

static always_inline void *stage_malloc(size_t size)
{
    struct thread *t = self();
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
static cold_noinline void free_over(struct thread *t, size_t i, void *p)
{
    if (i == 0)
        mm_die("double free, or a pointer that malloc never returned", p);
    int saved = errno;
    leave(t);
    struct shard *s = shard_enter();
    if (s) {
        bin_flush(s, i, thread_of(s)->cache.bins[i].limit / 2);
        shard_exit(s);
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
    struct shard *s = shard_enter_to_free();
    if (likely(s)) {
        free_block(s, &thread_of(s)->outbox, p);
        shard_exit(s);
    } else {
        free_aside(p);
    }
    errno = saved; /* there may have been no memory for a shard */
}

static always_inline void free_to_bin(size_t i, void *p)
{
    struct thread *t = self();
    if (unlikely(i >= t->open)) {
        free_slow(p);
        return;
    }
    if (unlikely(p == t->cache.heads[i])) {
        die_double_free(p);
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
    unsigned slab_class = tag & TAG_CLASS;
    if (slab_class)
        free_to_bin(slab_bin(slab_class), p);
    else
        free_to_bin(header_bin(header_read_remote(payload_block(p))), p);
}

/* p, of bin from, grows by moving to a block that waits in bin to: that costs
 * less than to look whether the memory beside p is free. NULL: p stays. */
static always_inline void *grow_by_bins(void *p, size_t from, size_t to,
                                        size_t size)
{
    struct thread *t = self();
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

/* In place only in a shard that the thread may work in. */
static inline void *stage_resize(void *p, size_t size)
{
    size_t to = request_bin(size), from = payload_bin(p, page_tag(p));
    if (to == from)
        return p;
    void *q = grow_by_bins(p, from, to, size);
    if (q)
        return q;
    struct shard *s = shard_enter_to_resize(p);
    if (!s)
        return size <= arena_usable(p) ? p : NULL;
    s->arena.heap.may_grow = true;
    q = arena_resize(&s->arena, p, size);
    s->arena.heap.may_grow = false;
    shard_note_growth(s);
    shard_exit(s);
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

static void stage_thread_exit(void)
{
    thread_detach();
}

/* ---- all shards -------------------------------------------------------- */

/* Do to each shard that is not inside; to the others, nothing.
 * @return the sum of what was done */
static size_t for_all_shards(size_t (*work)(struct shard *))
{
    size_t sum = 0;
    struct shard *s = shard_enter_or_begin();
    if (s)
        outbox_post(&thread_of(s)->outbox);
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *other = shard_at(i);
        if (!other || other == s || !shard_steal(other))
            continue;
        if (s)
            shard_free_inbox(other, s);
        sum += work(other);
        shard_return(other);
    }
    if (!s)
        return sum;
    while (shard_adopt(s))
        ;
    shard_free_inbox(s, s);
    sum += work(s);
    shard_exit(s);
    return sum;
}

static size_t shard_used(struct shard *s)
{
    return arena_used(&s->arena);
}

/* What this thread keeps for its next malloc is free to it. */
static size_t stage_used(void)
{
    size_t used = for_all_shards(shard_used);
    return used - min_size(used, cache_bytes(&self()->cache));
}

static size_t shard_trim(struct shard *s)
{
    if (s == self()->shard)
        cache_flush(s);
    size_t given = heap_trim(&s->arena.heap);
    shard_count_resident(s);
    return given;
}

static size_t stage_trim(void)
{
    return for_all_shards(shard_trim);
}

/* As if this thread had come by at the end of a window. */
static bool stage_decay(void)
{
    struct shard *s = shard_enter_or_begin();
    if (!s)
        return false;
    bool more = decay_sweep(s);
    shard_exit(s);
    return more;
}
#define STAGE_DECAY stage_decay

static void stage_walk(const struct walker *w)
{
    uint32_t n = shard_count();
    for (uint32_t i = 0; i < n; i++)
        if (shard_at(i))
            walk_arena(w, &shard_at(i)->arena);
    for (uint32_t i = 0; i < n; i++) {
        const struct shard *s = shard_at(i);
        const void *chain = s ? s->inbox.chain : NULL;
        if (chain != INBOX_CLOSED)
            walk_chain(w, chain, i);
    }
}

static size_t stage_metadata(void)
{
    return mem_recordsize() + owners_bytes();
}

#endif
