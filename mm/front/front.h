/* front.h - malloc, free and realloc of a stage whose threads have bins before
 * their arenas.
 *
 *   malloc ─► bin ── empty: all free blocks of a slab ──► the thread's arena
 *   free ─┬► its own ─┬ the bin has room ───────────────► bin
 *         │           └ else ───────────────────────────► its slab, or the heap
 *         └► another's: outbox ── a batch, one CAS ─────► the owner's inbox
 *
 * No block of another owner is handed out by the thread that freed it: so no
 * two threads write to one line of the cache because of the allocator.
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
/** The shard of t, this thread's, which is inside t already; its arena is the
 * caller's. NULL: not so, and out of t. */
static always_inline struct shard *shard_enter_inside(struct thread *t);
/** Out of both. */
static always_inline void shard_exit_inside(struct thread *t);
/** A block for a thread that has no shard now. */
static void *malloc_aside(size_t align, size_t size);
/** Free p for a thread that has no shard now. */
static void free_aside(void *p);
/** The thread is done with its shard. */
static void thread_detach(void);

/* ---- what others left -------------------------------------------------- */

/* p comes home to s, this thread's, or is on its way on. */
static inline void take_home(struct shard *s, void *p)
{
    uint32_t tag = page_tag(p);
    size_t class = (uint32_t)((tag & ~TAG_PLACE) - owner_tag(s->id));
    if (likely(class - 1 < SLAB_CLASSES))
        slab_put(&s->arena.heap, &s->arena.slabs, p, tag);
    else if (tag || owner_of(p) != s ||
             !header_bin_put(&thread_of(s)->cache, p,
                             block_size(payload_block(p))))
        free_block(s, outbox_of(s), p);
}

/* Take in what was sent. */
static inline void drain(struct shard *s)
{
    void *p = shard_take_inbox(s);
    while (p) {
        void *next = *(void **)p;
        take_home(s, p);
        p = next;
    }
}

/* ---- giving back ------------------------------------------------------- */

/* Others need the memory more. */
static cold_noinline void cache_flush(struct shard *s)
{
    struct cache *c = &thread_of(s)->cache;
    for (size_t i = 1; i < ALL_BINS; i++) {
        unsigned n;
        void *chain = c->heads[i] ? bin_take_all(c, i, &n) : NULL;
        if (chain)
            free_chain(s, outbox_of(s), chain, n);
    }
    c->large = 0;
    outbox_post(&thread_of(s)->outbox);
}

/* The same, and from now on less may wait. */
static cold_noinline void cache_shrink(struct shard *s)
{
    struct cache *c = &thread_of(s)->cache;
    cache_flush(s);
    slab_bins_set_limits(c, c->bin_bytes / 2);
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

/* Bin i, for requests of this size, was empty: if slabs serve them, fill it.
 * @return a block, or NULL */
static inline void *refill(struct shard **s, size_t i, size_t size)
{
    struct cache *c = &thread_of(*s)->cache; /* stays with the thread */
    void *p = bin_pop(c, i);                 /* a handler may have been here */
    if (p)
        return p;
    unsigned n = 0;
    p = shard_take(s, ALIGN, size);
    c->moved++;
    if (p && page_tag(p) && (*s)->arena.slabs.first[i]) {
        void *chain = arena_take_all(&(*s)->arena, (unsigned)i, &n);
        bin_fill(c, i, chain, n);
    }
    return p;
}

/* A mapping of its own. NULL, no_room: nor may the heap have room for
 * it. */
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
    size = max_size(size, LEAST_REQUEST);
    void *p;
    if (unlikely(!s)) {
        p = malloc_aside(align, size);
    } else {
        drain(s);
        size_t i = request_bin(size);
        bool small = i < NBINS && align <= ALIGN;
        p = small ? header_bin_take(&thread_of(s)->cache, size) : NULL;
        if (!p)
            p = small ? refill(&s, i, size) : shard_take(&s, align, size);
        cache_fit(&thread_of(s)->cache, s->arena.heap.size);
        shard_exit(s);
    }
    if (likely(p != NULL))
        block_clear_key(p);
    return p;
}

/* Its use of the shard is noted, and the clock looked at when it is time. */
static cold_noinline void come_by(void)
{
    struct shard *s = shard_enter();
    if (s)
        shard_exit(s);
}

/* No slab's bin has a block: one with a header, perhaps. */
static __attribute__((noinline)) void *malloc_cold(size_t size)
{
    struct thread *t = self();
    if (likely(t->open)) {
        enter(t);
        void *p = header_bin_take(&t->cache, size);
        if (!p)
            size = header_bin_round(&t->cache, size);
        bool come = p && cache_comes_by(&t->cache);
        leave(t);
        if (come)
            come_by();
        if (p)
            return p;
    }
    return malloc_slow(ALIGN, size);
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
    return malloc_cold(size);
}

/* p, which has its key, waits in no bin. */
static __attribute__((noinline)) void free_slow(void *p)
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

/* p is free, or what lies before it is no header. */
static cold_noinline void die_header(void *p)
{
    hide(p);
    if (p && used_block(p) && !block_has_key(p))
        die_overwritten(p);
    if (p)
        die_free(p);
}

/* Does the block after b, of size bytes and this thread's own, say that b is in
 * use? Where no block is, nothing says so. */
static always_inline bool next_agrees(const struct block *b, size_t size)
{
    const struct block *next = block_at(b, size);
    return likely(mem_in_range(next)) &&
           likely(header_read_remote(next) & BLOCK_PREV_USED);
}

/* p has a header. Only its size and owner may be read: others may own it. */
static always_inline void free_header(void *p)
{
    struct thread *t = self();
    const struct block *b = payload_block(p);
    uint64_t header = header_read_remote(b);
    size_t size = header & (BLOCK_SIZE | BLOCK_FREE);
    bool own = owner_tag((uint32_t)(header >> BLOCK_OWNER_SHIFT)) == t->tag;
    if (unlikely(size - 2 * ALIGN > MAX_BLOCK - 2 * ALIGN || block_has_key(p) ||
                 (own && !next_agrees(b, size)))) {
        die_header(p);
    } else if (block_put_key(p), likely(own && t->open)) {
        enter(t);
        bool put = header_bin_put(&t->cache, p, size);
        leave(t);
        if (unlikely(!put))
            free_slow(p);
    } else {
        free_slow(p);
    }
}

/* p is not of a slab of this thread's, or this thread has none. */
static __attribute__((noinline)) void free_other(void *p, uint32_t tag)
{
    if (!tag) {
        free_header(p);
    } else {
        slab_mark_free(p);
        free_slow(p);
    }
}

/* p, which has its key, lay in a slab of this thread's when it was looked at;
 * its bin has no room. A handler may have moved the thread to another shard
 * since: so what p says is read again. */
static __attribute__((noinline)) void free_to_slab(struct thread *t, void *p)
{
    struct shard *s = shard_enter_inside(t);
    if (unlikely(!s)) {
        free_slow(p);
        return;
    }
    uint32_t tag = page_tag(p);
    if (likely(tag_owner(tag) == s->id))
        slab_put(&s->arena.heap, &s->arena.slabs, p, tag);
    else
        free_block(s, &t->outbox, p);
    if (cache_gives_up(&t->cache))
        cache_shrink(s);
    if (shard_has_more_to_purge(s))
        shard_note_use(s);
    shard_exit_inside(t);
}

/* What dies is a tail call, too: so there is no frame. */
static always_inline void stage_free(void *p, uint32_t tag)
{
    struct thread *t = self();
    size_t i = (uint32_t)((tag & ~TAG_PLACE) - t->tag);
    if (unlikely(i - 1 >= t->open)) { /* 0: it has a header */
        free_other(p, tag);
    } else if (unlikely(!slab_has_block(p))) {
        die_inside(p);
    } else if (unlikely(block_has_key(p))) {
        die_double_free(p);
    } else {
        block_put_key(p);
        enter(t);
        if (likely(bin_push(&t->cache, i, p)))
            leave(t);
        else
            free_to_slab(t, p);
    }
}

/* p, in a page with this tag, grows by moving to a block that waits in a bin:
 * that costs less than to look whether the memory beside p is free. NULL: p
 * stays. */
static always_inline void *grow_by_bins(void *p, uint32_t tag, size_t size)
{
    struct thread *t = self();
    size_t usable = arena_usable(p);
    if (size <= usable || size > SLAB_MAX || !t->open)
        return NULL;
    enter(t);
    void *q = bin_pop(&t->cache, request_bin(size));
    if (!q)
        q = header_bin_take(&t->cache, size);
    leave(t);
    if (!q)
        return NULL;
    memcpy(q, p, usable);
    stage_free(p, tag);
    return q;
}

/* In place only in a shard that the thread may work in. */
static inline void *stage_resize(void *p, size_t size)
{
    uint32_t tag = page_tag(p);
    size_t usable = arena_usable(p);
    if (tag)
        slab_used_block(p);
    else if (unlikely(block_has_key(p)))
        die_free(p);
    if (tag && size <= usable)
        return p;
    void *q = grow_by_bins(p, tag, size);
    if (q || tag)
        return q;
    struct shard *s = shard_enter_to_resize(p);
    if (!s)
        return size <= usable ? p : NULL;
    s->arena.heap.may_grow = true;
    q = arena_resize(&s->arena, p, max_size(size, LEAST_REQUEST));
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
    size_t given = arena_trim(&s->arena);
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
        const void *mail = s ? s->inbox.chain : NULL;
        if (mail != INBOX_CLOSED)
            walk_chain(w, mail, i);
    }
}

static size_t stage_metadata(void)
{
    return mem_recordsize() + owners_bytes();
}

#endif
