/* slow.h - what the bins do not serve: a thread enters its shard for it.
 *
 *   malloc_slow ─► a mapping of its own, if it is huge
 *              └─► inbox emptied ─► bins ─► the arena, as it is
 *                   ─► bins emptied, an orphan taken in ─► the arena grows
 *                      ─► it is full: another shard (memlib.h: zones)
 *                      ─► no memory: any idle shard
 *
 * To be included by front.h alone. */
#ifndef MM_FRONT_SLOW_H
#define MM_FRONT_SLOW_H

#include "mm/engine/usage.h"
#include "mm/front/adopt.h"
#include "mm/front/decay.h"
#include "mm/front/hooks.h"
#include "mm/front/huge.h"
#include "mm/front/purge.h"
#include "mm/front/rich.h"

/* ---- what others left -------------------------------------------------- */

/* p comes home to s, this thread's, or is sent on. */
static inline void take_home(struct shard *s, void *p)
{
    uint32_t tag = page_tag(p);
    uint32_t bytes = tag - owner_tag(s->id);
    if (likely(bytes - 1 < SLAB_MAX))
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

/* Empty bins and outbox: others need the memory more. */
static cold_noinline void cache_flush(struct shard *s)
{
    struct cache *c = &thread_of(s)->cache;
    for (size_t i = 1; i < ALL_BINS; i++) {
        unsigned n;
        struct bin *b = &c->bins[i];
        void *chain = b->head ? bin_take_all(c, b, &n) : NULL;
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

/* What waits with s, which is entered, goes to the owners, and what it wastes
 * to the system, if that is paid for. */
static void shard_send_home(struct shard *s)
{
    struct heap *h = &s->arena.heap;
    shard_free_inbox(s, s);
    cache_flush(s);
    if (heap_purgeable(h) < PURGE_STEP)
        return;
    slabs_trim(h, &s->arena.slabs);
    heap_release(h);
    if (decay_ms() >= 0)
        shard_pay(s, clock_ms());
    heap_purge_at_chance(h);
}

/* The thread of s, which is entered, is about to leave it for good. Where
 * addresses are scarce, what is free in orphans goes back, too: perhaps nobody
 * else will come by. Of two threads that end together, the later one so frees
 * what it has sent to the other, if that is an orphan by then. */
static void shard_empty(struct shard *s)
{
    shard_send_home(s);
    if (is_scarce()) {
        orphans_decay(s, SWEEP_STEALS, shard_sweep);
        shard_send_home(s); /* that took its time */
    }
    shard_count_resident(s);
}

/* ---- taking ------------------------------------------------------------ */

/* Take a block from a shard that may grow for it. */
static inline void *shard_grow(struct shard *s, size_t align, size_t size)
{
    struct heap *h = &s->arena.heap;
    h->may_grow = true;
    void *p = arena_memalign(&s->arena, align, size);
    h->may_grow = false;
    return p;
}

/* A block of any idle shard. NULL: there is none; errno stays. */
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

/* Take in all orphans that can be. */
static inline void shard_adopt_all(struct shard *s)
{
    for (uint32_t n = shard_count(); n && shard_relieve(s, NEVER_RICH); n--)
        ;
}

#define ELSEWHERE_LOOKS 8 /* at orphans, before a new shard is made */

/* *s is full: go on in an orphan that is not, or that has such a block, or else
 * in a new shard. NULL: no memory */
static cold_noinline void *take_elsewhere(struct shard **s, size_t align,
                                          size_t size)
{
    void *p = NULL;
    for (int i = 0; !p && i < ELSEWHERE_LOOKS; i++) {
        struct shard *to = shard_relieve(*s, request_most(align, size));
        if (!to)
            break;
        *s = to;
        p = shard_grow(to, align, size);
    }
    if (p || !heap_is_full(&(*s)->arena.heap))
        return p;
    *s = shard_renew(*s);
    return shard_grow(*s, align, size);
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
        p = arena_memalign(&(*s)->arena, align, size);
    if (!p)
        p = shard_grow(*s, align, size);
    if (!p && heap_is_full(&(*s)->arena.heap))
        p = take_elsewhere(s, align, size);
    if (!p) { /* no memory: whatever waits anywhere */
        cache_flush(*s);
        shard_free_inbox(*s, *s); /* a batch may have been for itself */
        shard_adopt_all(*s);
        slabs_trim(&(*s)->arena.heap, &(*s)->arena.slabs);
        p = shard_grow(*s, align, size);
    }
    return p ? p : take_anywhere(*s, align, size);
}

/* Take a block from this thread's shard *s, which is entered; on return, *s may
 * be another one, entered, too. */
static inline void *shard_take(struct shard **s, size_t align, size_t size)
{
    void *p = arena_memalign(&(*s)->arena, align, size);
    if (unlikely(!p))
        p = shard_take_more(s, align, size);
    return p;
}

/* All free blocks of a slab of s, if one is listed, wait in their bin, which is
 * empty. */
static inline void bin_refill(struct shard *s, struct cache *c, size_t bytes)
{
    unsigned n = 0;
    void *chain = arena_take_all(&s->arena, slab_class(bytes), &n);
    if (chain)
        bin_fill(c, slab_bin(c, bytes), chain, n);
}

/* The bin of slab blocks of this size was empty, and none with a header
 * waited: if slabs serve the request, fill it. @return a block, or NULL */
static inline void *refill(struct shard **s, size_t bytes, size_t align,
                           size_t size)
{
    struct cache *c = &thread_of(*s)->cache; /* stays with the thread */
    /* A handler, or drain, may have put blocks into the bins. */
    void *p = header_bin_take(c, align, size);
    if (!p)
        p = bin_pop(slab_bin(c, bytes));
    if (p)
        return p;
    p = shard_take(s, align, size);
    c->moved++;
    if (p && page_tag(p))
        bin_refill(*s, c, bytes);
    return p;
}

/* A mapping of its own. NULL with *no_room: the heap has no room for it either.
 */
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
        size_t bytes = round_up(size, align);
        p = bytes < OPEN ? refill(&s, bytes, align, size)
                         : shard_take(&s, align, size);
        cache_fit(&thread_of(s)->cache, s->arena.heap.size);
        shard_exit(s);
    }
    return p;
}

/* Note uses of the shard, as many as there were hits since the last time, and
 * look at the clock when it is time. */
static cold_noinline void come_by(void)
{
    struct shard *s = shard_enter();
    if (!s)
        return;
    low_water_uses(&s->activity.low_water, HITS_MOST);
    shard_exit(s);
}

#endif
