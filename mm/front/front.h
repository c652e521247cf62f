/* front.h - malloc, free and realloc of a stage whose threads have bins before
 * their arenas.
 *
 *   malloc ─► bin ─ empty ─► bin of headers ─ empty ─► own arena ─► slow.h
 *             of a slab class          all free blocks of a slab, or one block
 *
 *   free ─┬► its own ─┬ the bin has room ──► bin
 *         │           └ else ──────────────► its slab, or the heap
 *         └► another's: outbox ─ a batch, one CAS ─► the owner's inbox
 *
 * No block of another owner is handed out by the thread that freed it: so no
 * two threads write to one cache line because of the allocator.
 *
 * A stage includes this file last; how a thread enters its own shard is the
 * stage's business (hooks.h). */
#ifndef MM_FRONT_FRONT_H
#define MM_FRONT_FRONT_H

#include "mm/engine/walk.h"
#include "mm/front/slow.h"

/* ---- inside the thread's own shard -------------------------------------- */

/* A block of s for a request; others of its size then wait in their bin.
 * @return NULL: s would have to grow */
static always_inline void *shard_take_some(struct shard *s, struct cache *c,
                                           size_t size)
{
    size_t bytes = request_bytes(size);
    if (bytes >= OPEN || !s->arena.slabs.first[bytes / ALIGN])
        return arena_malloc(&s->arena, size);
    if (!slab_bin(c, bytes)->head) /* a request of 0 bytes has not tried it */
        bin_refill(s, c, bytes);
    return bin_pop(slab_bin(c, bytes));
}

/* Inside t: no bin has a block. Take one from the thread's own arena at once;
 * where there is more to do (an inbox to empty, growth), malloc_slow does it.
 */
static __attribute__((noinline)) void *malloc_own(struct thread *t, size_t size)
{
    struct shard *s = shard_enter_inside(t);
    if (unlikely(!s))
        return malloc_slow(ALIGN, size);
    size = max_size(size, LEAST_REQUEST);
    void *p = NULL;
    if (likely(!inbox_has_blocks(&s->inbox)))
        p = shard_take_some(s, &t->cache, size);
    t->cache.moved++;
    cache_fit(&t->cache, s->arena.heap.size);
    shard_exit_inside(t, s);
    return likely(p != NULL) ? p : malloc_slow(ALIGN, size);
}

/* p, from a bin of blocks with headers, serves: leave t. */
static always_inline void *leave_served(struct thread *t, void *p)
{
    bool come = cache_comes_by(&t->cache);
    leave(t);
    if (come)
        come_by();
    return p;
}

/* Inside t: the bin of a slab's class is empty. */
static __attribute__((noinline)) void *malloc_small(struct thread *t,
                                                    size_t size)
{
    if (unlikely(size > SLAB_MAX)) { /* so large that its bytes wrap to 0 */
        leave(t);
        return malloc_slow(ALIGN, size);
    }
    void *p = small_bin_take(&t->cache, size);
    return likely(p != NULL) ? leave_served(t, p) : malloc_own(t, size);
}

/* Larger than slabs' blocks, or there are no bins now. */
static __attribute__((noinline)) void *malloc_large(size_t size)
{
    struct thread *t = self();
    if (unlikely(!t->open || size > LARGE_BIN_MAX))
        return malloc_slow(ALIGN, size);
    enter(t);
    void *p = header_bin_take(&t->cache, ALIGN, size);
    return p ? leave_served(t, p)
             : malloc_own(t, header_bin_round(&t->cache, size));
}

/* ---- hooks ------------------------------------------------------------- */

static always_inline void *stage_malloc(size_t size)
{
    struct thread *t = self();
    size_t bytes = request_bytes(size);
    if (unlikely(bytes >= t->open))
        return malloc_large(size);
    enter(t);
    void *p = bin_pop(slab_bin(&t->cache, bytes));
    if (unlikely(!p))
        return malloc_small(t, size);
    leave(t);
    return p;
}

/* Free p, which has its key, past the bins. */
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

/* Push p on its slab, whose record page is, if the slab lies in s, which is the
 * caller's, and if no more is to be done: only that record is touched. */
static always_inline bool free_quietly(const struct shard *s,
                                       struct mem_page *page, void *p)
{
    uint32_t tag = tag_read(page);
    return tag && tag_owner(tag) == s->id && slab_put_quietly(page, p);
}

/* Inside t: p, which has its key, was this thread's own when it was checked,
 * and its bin has no room. A handler may have moved the thread to another shard
 * since, so p's label is read again. */
static __attribute__((noinline)) void free_own(struct thread *t,
                                               struct mem_page *page, void *p)
{
    struct shard *s = shard_enter_inside(t);
    if (unlikely(!s)) {
        free_slow(p);
        return;
    }
    if (!free_quietly(s, page, p)) {
        free_block(s, &t->outbox, p);
        if (cache_gives_up(&t->cache))
            cache_shrink(s);
    }
    shard_exit_inside(t, s);
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

/* p has a header. Only its size and owner may be read: others may own it. */
static always_inline void free_header(void *p, struct mem_page *page)
{
    struct thread *t = self();
    const struct block *b = payload_block(p);
    uint64_t header = header_read_remote(b);
    size_t size = header & (BLOCK_SIZE | BLOCK_FREE);
    bool own = owner_tag(header_owner(header)) == t->tag;
    if (unlikely(size - 2 * ALIGN > MAX_BLOCK - 2 * ALIGN || block_has_key(p) ||
                 (own && !next_agrees(b, size)))) {
        die_header(p);
    } else if (block_put_key(p), likely(own && t->open)) {
        enter(t);
        if (likely(header_bin_put(&t->cache, p, size)))
            leave(t);
        else
            free_own(t, page, p);
    } else {
        free_slow(p);
    }
}

/* p does not lie in a slab of this thread's shard. */
static __attribute__((noinline)) void free_other(void *p, struct mem_page *page)
{
    if (!tag_read(page)) {
        free_header(p, page);
    } else {
        slab_mark_free(p);
        free_slow(p);
    }
}

/* Calls that die are tail calls, too: so there is no frame. */
static always_inline void stage_free(void *p, struct mem_page *page)
{
    struct thread *t = self();
    size_t bytes = (uint32_t)(tag_read(page) - t->tag);
    if (unlikely(bytes - 1 >= t->open)) { /* 0: it has a header */
        free_other(p, page);
    } else if (unlikely(!slab_has_block(p))) {
        die_inside(p);
    } else if (unlikely(block_has_key(p))) {
        die_double_free(p);
    } else {
        block_put_key(p);
        enter(t);
        if (likely(bin_push(slab_bin(&t->cache, bytes), p)) ||
            likely(shard_may_put(t) && free_quietly(t->shard, page, p)))
            leave(t);
        else
            free_own(t, page, p);
    }
}

/* p, in this page, grows by moving to a block that waits in a bin: that costs
 * less than to look whether the memory beside p is free. NULL: p stays. */
static always_inline void *grow_by_bins(void *p, struct mem_page *page,
                                        size_t size)
{
    struct thread *t = self();
    size_t usable = arena_usable(p);
    if (size <= usable || size > SLAB_MAX || !t->open)
        return NULL;
    enter(t);
    void *q = bin_pop(slab_bin(&t->cache, request_bytes(size)));
    if (!q)
        q = header_bin_take(&t->cache, ALIGN, size);
    leave(t);
    if (!q)
        return NULL;
    memcpy(q, p, usable);
    stage_free(p, page);
    return q;
}

/* In place only in a shard that the thread may work in. */
static inline void *stage_resize(void *p, size_t size)
{
    struct mem_page *page = place_page(payload_index(p));
    uint32_t tag = tag_read(page);
    size_t usable = arena_usable(p);
    if (tag)
        slab_used_block(p);
    else if (unlikely(block_has_key(p)))
        die_free(p);
    if (tag ? size <= usable : block_stays(p, usable, size, self()->tag))
        return p;
    void *q = grow_by_bins(p, page, size);
    if (q || tag)
        return q;
    struct shard *s = shard_enter_to_resize(p);
    if (!s)
        return size <= usable ? p : NULL;
    s->arena.heap.may_grow = true;
    q = arena_resize(&s->arena, p, max_size(size, LEAST_REQUEST));
    s->arena.heap.may_grow = false;
    shard_exit(s);
    return q;
}

/* From bins, too: blocks of a slab are as aligned as their bytes are. */
static inline void *stage_memalign(size_t align, size_t size)
{
    if (align <= ALIGN)
        return stage_malloc(size);
    struct thread *t = self();
    size_t bytes = round_up(size, align);
    if (t->open) {
        enter(t);
        void *p = bytes < OPEN ? bin_pop(slab_bin(&t->cache, bytes)) : NULL;
        if (!p)
            p = header_bin_take(&t->cache, align, size);
        if (p)
            return leave_served(t, p);
        leave(t);
    }
    return malloc_slow(align, size);
}

static int stage_thread_init(void)
{
    return self() != &no_thread || attach() ? 0 : -1;
}

/* ---- all shards -------------------------------------------------------- */

/* Do work to each shard whose thread is not inside, and to no other.
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
    shard_adopt_all(s);
    shard_free_inbox(s, s);
    sum += work(s);
    shard_exit(s);
    return sum;
}

static size_t shard_used(struct shard *s)
{
    return arena_used(&s->arena);
}

/* Blocks in this thread's bins count as free. */
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

/* As if this thread had come by at the end of a period. */
static bool stage_decay(bool short_of)
{
    struct shard *s = shard_enter_or_begin();
    if (!s)
        return false;
    bool more = decay_sweep(s);
    if (short_of)
        decay_at_once(s);
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
        const void *chain = s ? inbox_look(&s->inbox) : NULL;
        if (chain != INBOX_CLOSED)
            walk_chain(w, chain, i);
    }
}

static size_t stage_metadata(void)
{
    return mem_recordsize() +
           shard_count() * (sizeof *owners + sizeof *all_shards);
}

#endif
