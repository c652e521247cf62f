/* heap.h - the engine: split, merge, grow and resize boundary-tag blocks.
 *
 * Knows no thread: the caller owns the heap, by a lock or for good. Memory
 * comes from memlib. A heap is a chain of regions, the highest first; a heap
 * that grows alone has one, because memlib's break is then always at its end.
 * All lie in one zone, from whose begin links count (memlib.h): when the break
 * has left that, the heap is full, and its owner goes on with another.
 *
 *   region  | next 4, size/16 4 | block | block | ... | block | end header 8 |
 *           ^ 16-aligned        ^ 8 mod 16                                    ^
 *
 * Policy. An exact list that is not empty serves at once. Else a small request
 * is cut from the low end of the victim, so that blocks made together lie
 * together; if that is too small, from the best fit, whose rest becomes the
 * victim. Large requests are cut from the high end of the best fit: small and
 * large blocks keep apart. The heap grows by the shortfall only. A free block
 * is merged with its free neighbours at once.
 *
 * Invariants (check.h counts and names what is broken)
 *   H1 every block's size is a multiple of 16, >= 16, and ends in its region
 *   H2 a block's prev bits tell the truth about the block before it
 *   H3 no two free blocks are adjacent
 *   H4 a free block that is not a mini has a footer equal to its size
 *   H5-H7 see fit.h
 *   H8 all regions lie in the zone that begins at base
 *
 * Boundary tags are Knuth's (1968); blocks of the victim and two-ended
 * placement keep what is allocated together close (Wilson et al., 1995). */
#ifndef MM_HEAP_H
#define MM_HEAP_H

#include "config.h"
#include "memlib.h"
#include "mm/engine/pagemap.h"
#include MM_FIT

#include <errno.h>

#define LOW_RESERVE                                                            \
    ((size_t)64)     /* a new heap's first bytes: for small blocks */
#define SMALL_STEP 8 /* a realloc by less than 1/8 is one of many to come */
#define GROWTH 32    /* a heap that takes steps grows by 1/32 at least */
#define STEP_MOST ((size_t)1 << 20)    /* ... and by this much at most */
#define REGION_MIN ((size_t)16 << 10)  /* a further region, where heaps mix, */
#define LARGE_HEAP ((size_t)1 << 18)   /* ... and from so many bytes on */
#define LARGE_GROWTH 8                 /* ... 1/8 of the heap at least */
#define SPARSE_MIN ((size_t)8 << 10)   /* that may be written in part */
#define SLAB_MOST ((size_t)16 << 10)   /* a slab's bytes */
#define PURGE_AGAIN ((size_t)1 << 20)  /* more resident, before the next */
#define PURGE_SLACK ((size_t)64 << 20) /* dirty bytes that may always stay */
#define PATIENCE_MOST 8                /* doublings of that */
#define RELEASE_MIN ((size_t)1 << 20)  /* bytes that are worth a hole */

/* ---- giving back ----------------------------------------------------- */

/* The header of size 0 that ends a region; prev bits as given. */
static inline struct block *region_seal(char *end, uint64_t prev_bits)
{
    struct block *b = (struct block *)(end - HEADER_SIZE);
    b->header = prev_bits;
    return b;
}

/* Are addresses scarce? Then regions are whole pages, and what is free at the
 * end of one goes back. */
static inline bool is_scarce(void)
{
    return unlikely(
        atomic_load_explicit(&mem_range.scarce, memory_order_relaxed));
}

/* Give whole pages back, of which nothing is used or listed. @return false:
 * they are as they were */
static inline bool pages_release(char *p, size_t size)
{
    pages_set_gone(p, size, true);
    bool gone = mem_release(p, size);
    if (!gone)
        pages_set_gone(p, size, false);
    return gone;
}

/* Have pages again that were given back (mem_reuse). */
static inline char *pages_reuse(const void *end, size_t *size)
{
    char *p = mem_reuse(end, size);
    if (p)
        pages_set_gone(p, *size, false);
    return p;
}

/* Bytes that a region takes at a place, of which it needs so many. */
static inline size_t region_round(uintptr_t at, size_t bytes)
{
    return is_scarce() ? round_up(at + bytes, mem_pagesize()) - at : bytes;
}

/* r ends at `to`, in its last block, b, which is free and in no list. */
static inline void region_shorten(struct heap *h, struct region *r, char *to,
                                  struct block *b)
{
    size_t bytes = (size_t)(region_end(r) - to);
    size_t size = block_size(b) - bytes;
    h->size -= bytes;
    r->size -= (uint32_t)(bytes / ALIGN);
    region_seal(to, 0);
    block_set_free(b, size);
    free_set_dirty(b, size, size);
    list_insert(h, b, size);
}

/* From where to its end r may go back, whole pages. All of it, if it is free,
 * begins at a page, and is not the only one; else the first bytes of its last
 * block, b, stay. */
static inline char *region_spare(const struct heap *h, const struct region *r,
                                 const struct block *b)
{
    uintptr_t start = (uintptr_t)r, page = mem_pagesize();
    bool only = r == heap_region(h, h->regions) && !r->next;
    if ((const void *)b == r + 1 && !only && start % page == 0)
        return (char *)start;
    uintptr_t least = (uintptr_t)b + 2 * MIN_BLOCK + HEADER_SIZE;
    return (char *)round_up(least, page);
}

/* Give back what is free at the end of a region, to which *link leads. @return
 * bytes */
static inline size_t region_release(struct heap *h, uint32_t *link)
{
    struct region *r = heap_region(h, *link);
    struct block *end = (struct block *)(region_end(r) - HEADER_SIZE);
    if (prev_used(end) || end->header & BLOCK_PREV_MINI)
        return 0;
    struct block *b = block_prev(end);
    uint32_t next = r->next;
    char *to = region_spare(h, r, b), *most = region_end(r);
    if (to + RELEASE_MIN > most)
        return 0;
    size_t bytes = (size_t)(most - to);
    unlist(h, b);
    if (!pages_release(to, round_down((uintptr_t)most, mem_pagesize()) -
                               (uintptr_t)to)) {
        list_insert(h, b, block_size(b));
        return 0;
    }
    if (to != (char *)r) {
        region_shorten(h, r, to, b);
        return bytes;
    }
    h->size -= bytes;
    *link = next;
    return bytes;
}

/* Where addresses are scarce, those that are free at the ends of regions go
 * back. @return bytes */
static cold_noinline size_t heap_release(struct heap *h)
{
    size_t given = 0;
    uint32_t *link = &h->regions;
    while (is_scarce() && *link) {
        uint32_t was = *link;
        given += region_release(h, link);
        if (*link == was)
            link = &heap_region(h, was)->next;
    }
    return given;
}

/* Is too much of h waste? The victim's part counts: it may be most of it. */
static always_inline bool heap_overflows(const struct heap *h)
{
    size_t waste = heap_purgeable(h);
    return unlikely(waste > PURGE_SLACK << h->patience) && waste > h->size / 2;
}

/* Too much of h is free. If most of what the last purge gave was taken again,
 * twice as much may be from now on; if it was not, half. */
static cold_noinline void heap_give(struct heap *h)
{
    if (!heap_may_pay(h) && !is_scarce())
        return;
    retire_victim(h); /* of which nobody counts what is clean */
    if (h->clean < h->vain_overflow)
        h->patience += h->patience < PATIENCE_MOST;
    else if (h->vain_overflow && h->patience)
        h->patience--;
    h->vain_overflow = h->vain = 0;
    if (!heap_overflows(h))
        return;
    heap_release(h);
    h->vain_overflow = heap_purge_for_price(h);
}

/* ---- free and merge -------------------------------------------------- */

/** Return b to h, merged with its free neighbours. */
static always_inline void heap_free(struct heap *h, struct block *b)
{
    size_t size = block_size(b), clean = 0;
    size_t victim = 0; /* its size, if b is merged with it */
    struct block *next = block_next(b), *v = h->victim;
    if (!block_used(next)) {
        size_t next_size = block_size(next);
        size += next_size;
        if (next == v) {
            victim = next_size;
        } else {
            clean += free_clean(next, next_size);
            list_remove(h, next, next_size);
        }
    }
    if (!prev_used(b)) {
        struct block *second = b;
        b = block_prev(b);
        block_unmake(second);
        size_t prev_size = block_size(b);
        size += prev_size;
        if (b == v) {
            victim = prev_size;
        } else {
            clean += free_clean(b, prev_size);
            list_remove(h, b, prev_size);
        }
    }
    block_set_free(b, size);
    if (victim) {
        h->victim = b;
        h->victim_dirty += size - victim - clean;
    } else {
        free_set_dirty(b, size, size - clean);
        list_insert(h, b, size);
    }
    if (unlikely(size >= PURGE_MIN) && heap_overflows(h))
        heap_give(h);
}

/* ---- grow ------------------------------------------------------------ */

/* The highest region's last bytes: its free block, or else its end header. */
static inline struct block *heap_top(const struct heap *h)
{
    const struct region *r = heap_region(h, h->regions);
    struct block *end = (struct block *)(region_end(r) - HEADER_SIZE);
    return prev_used(end) ? end : block_prev(end);
}

/* Lengthen the highest region by size bytes, if no one else's memory begins
 * there. @return its last block: free, merged, listed; or NULL */
static inline struct block *region_extend(struct heap *h, size_t size)
{
    struct region *r = heap_region(h, h->regions);
    struct block *top = heap_top(h);
    size = region_round((uintptr_t)region_end(r), size);
    if (!mem_extend(region_end(r), size) && !pages_reuse(region_end(r), &size))
        return NULL;
    r->size += (uint32_t)(size / ALIGN);
    h->size += size;
    region_seal(region_end(r), 0);
    size_t dirty = size; /* as good as: it is about to be used */
    if (!block_is_end(top)) {
        unlist(h, top);
        dirty += free_dirty(top, block_size(top));
        size += block_size(top);
    }
    block_set_free(top, size);
    free_set_dirty(top, size, dirty);
    list_insert(h, top, size);
    return top;
}

/* Regions are chained by falling address: mostly r, new, is the first. */
static inline void region_chain(struct heap *h, struct region *r)
{
    uint32_t link = block_link(h, (struct block *)(r + 1));
    uint32_t *at = &h->regions;
    while (*at > link)
        at = &heap_region(h, *at)->next;
    r->next = *at;
    *at = link;
}

/* Has h left the zone in which it might still grow? Another heap may. */
static inline bool heap_is_full(const struct heap *h)
{
    return h->regions && !mem_zone_grows(h->base);
}

/* Memory for a region, in the zone of the others. *bytes: perhaps more */
static inline struct region *region_memory(struct heap *h, size_t *bytes)
{
    void *r = NULL;
    if (!h->regions || h->base == mem_range.base)
        r = pages_reuse(NULL, bytes);
    if (!r)
        r = mem_sbrk_in(h->regions ? h->base : NULL, *bytes);
    if (r && !h->regions)
        h->base = mem_zone(r);
    return r;
}

/* A new region with one free block of size bytes, or NULL. */
static inline struct block *region_new(struct heap *h, size_t size)
{
    size_t bytes = sizeof(struct region) + size + HEADER_SIZE;
    bytes = region_round(0, bytes);
    struct region *r = region_memory(h, &bytes);
    if (!r)
        return NULL;
    struct block *b = (struct block *)(r + 1);
    size = bytes - sizeof(struct region) - HEADER_SIZE;
    r->size = (uint32_t)(bytes / ALIGN);
    region_chain(h, r);
    h->size += bytes;
    b->header = BLOCK_PREV_USED;
    region_seal(region_end(r), 0);
    block_set_free(b, size);
    free_set_dirty(b, size, size);
    list_insert(h, b, size);
    return b;
}

/* The least that a heap which grows in steps grows by, so that threads rarely
 * meet at the break, which they share. */
static inline size_t heap_step(const struct heap *h)
{
    return h->grows_in_steps
               ? min_size(round_up(h->size / GROWTH, ALIGN), STEP_MOST)
               : 0;
}

/* Of a large block perhaps only the first bytes are written; but a slab, which
 * has whole pages, too, is cut up. */
static inline bool may_stay_untouched(size_t asize, size_t align)
{
    return asize >= SPARSE_MIN && (align == ALIGN || asize > SLAB_MOST);
}

/* Make a free block that holds asize bytes with an aligned payload, from as
 * little new memory as will do. @return NULL, errno == ENOMEM: none left; or
 * NULL: the heap may not grow. */
static cold_noinline struct block *heap_grow(struct heap *h, size_t asize,
                                             size_t align)
{
    if (!h->may_grow)
        return NULL;
    if (asize > MAX_BLOCK - align) {
        errno = ENOMEM;
        return NULL;
    }
    size_t most = asize + align - ALIGN;
    if (heap_resident(h) >= h->purge_at && h->dirty > h->size / 8) {
        h->purge_at = heap_resident(h) + PURGE_AGAIN;
        heap_purge(h); /* memory that does not fit must cost nothing */
    }
    if (!h->regions)
        return region_new(h, most + (asize > EXACT_MAX ? LOW_RESERVE : 0));
    struct block *top = heap_top(h);
    uintptr_t payload = (uintptr_t)block_payload(top);
    size_t need = round_up(payload, align) - payload + asize;
    if (need <= block_size(top))
        return top;
    size_t lacks = need - block_size(top), step = heap_step(h);
    if (may_stay_untouched(asize, align))
        mem_grows_sparse(max_size(lacks, step));
    struct block *b = step > lacks ? region_extend(h, step) : NULL;
    if (b || (b = region_extend(h, lacks)))
        return b;
    /* Another heap's memory follows: take more, so that this happens less
     * often, and a block that grows step by step moves only a few times. And
     * few regions meet: the page where two do never goes back. */
    size_t part = h->size < LARGE_HEAP ? GROWTH : LARGE_GROWTH;
    size_t more = max_size(h->size / part, most + most / 2);
    more = max_size(REGION_MIN, round_up(more, ALIGN));
    b = region_new(h, more);
    return b ? b : region_new(h, most);
}

/* ---- take ------------------------------------------------------------ */

/* asize bytes of b, free, will be used. Nobody knows which of them are
 * resident: we count as few as can be, so that the waste is never more than we
 * count.
 * @return dirty bytes of what is left */
static always_inline size_t dirty_after(const struct block *b, size_t asize)
{
    size_t size = block_size(b);
    return min_size(free_dirty(b, size), size - asize);
}

/* Cut [offset, offset + asize) out of the free block b, which is in no list;
 * what is left before and after it stays free. @return the block */
static inline struct block *block_take(struct heap *h, struct block *b,
                                       size_t offset, size_t asize)
{
    size_t rest = block_size(b) - offset - asize;
    size_t dirty = dirty_after(b, asize), low = min_size(dirty, offset);
    struct block *taken = block_at(b, offset);
    if (offset) {
        taken->header = 0;
        block_set_free(b, offset);
        free_set_dirty(b, offset, low);
        list_insert(h, b, offset);
    }
    block_set_used(taken, asize);
    if (rest) {
        struct block *tail = block_next(taken);
        tail->header = BLOCK_PREV_USED;
        block_set_free(tail, rest);
        free_set_dirty(tail, rest, dirty - low);
        list_insert(h, tail, rest);
    }
    return taken;
}

/* asize bytes from the low end of b, which is in no list and no smaller; the
 * rest becomes the victim. */
static always_inline struct block *take_low(struct heap *h, struct block *b,
                                            size_t asize)
{
    size_t rest = block_size(b) - asize;
    if (!rest) {
        h->victim = NULL;
        block_set_used(b, asize);
        return b;
    }
    struct block *tail = block_at(b, asize);
    tail->header = BLOCK_PREV_USED;
    block_set_free(tail, rest);
    h->victim = tail;
    header_write(b, asize | (b->header & BLOCK_PREV_BITS));
    return b;
}

/* When neither the exact list nor the victim serves. */
static inline struct block *heap_malloc_fit(struct heap *h, size_t asize)
{
    retire_victim(h);
    struct block *b = fit_find(h, asize);
    if (unlikely(!b)) {
        b = heap_grow(h, asize, ALIGN);
        if (!b)
            return NULL;
    }
    list_remove(h, b, block_size(b));
    if (asize > EXACT_MAX)
        return block_take(h, b, block_size(b) - asize, asize);
    h->victim_dirty = free_dirty(b, block_size(b));
    return take_low(h, b, asize);
}

/** Allocate a block. @param asize  a block size, header included.
 * @return NULL, errno == ENOMEM: the heap cannot grow. */
static always_inline struct block *heap_malloc(struct heap *h, size_t asize)
{
    if (likely(asize <= EXACT_MAX)) {
        uint32_t exact = fit_exact(h, asize);
        if (exact) {
            struct block *b = link_block(h, exact);
            list_remove(h, b, asize);
            block_set_used(b, asize);
            return b;
        }
        if (FIT_VICTIM && h->victim && asize <= block_size(h->victim))
            return take_low(h, h->victim, asize);
    }
    return heap_malloc_fit(h, asize);
}

/** As heap_malloc, with the payload aligned to a power of two >= 16. */
static cold_noinline struct block *heap_memalign(struct heap *h, size_t align,
                                                 size_t asize)
{
    if (asize > MAX_BLOCK - align) {
        errno = ENOMEM;
        return NULL;
    }
    retire_victim(h);
    struct block *b = fit_find_aligned(h, asize, align);
    if (!b)
        b = heap_grow(h, asize, align);
    if (!b)
        return NULL;
    list_remove(h, b, block_size(b));
    return block_take(h, b, align_lead(b, align), asize);
}

/* ---- resize ---------------------------------------------------------- */

/* Shrink b, in use, to asize; the tail is freed. */
static inline void block_trim(struct heap *h, struct block *b, size_t asize)
{
    size_t rest = block_size(b) - asize;
    if (!rest)
        return;
    block_set_used(b, asize);
    struct block *tail = block_next(b);
    tail->header = BLOCK_PREV_USED;
    tail->header |= rest;
    heap_free(h, tail);
}

/* Take what b lacks of asize bytes from the free block after it. */
static inline void block_annex(struct heap *h, struct block *b, size_t asize)
{
    struct block *next = block_next(b);
    unlist(h, next);
    block_take(h, next, 0, asize - block_size(b));
    block_unmake(next);
    block_set_used(b, asize);
}

/* b and the free space after it, were b to grow into it. */
static inline size_t block_room(const struct block *b)
{
    const struct block *next = block_next(b);
    return block_size(b) + (block_used(next) ? 0 : block_size(next));
}

/* Grow the heap's tail so that b, the last block in use, has room for asize. */
static inline bool block_extend(struct heap *h, struct block *b, size_t asize)
{
    size_t room = block_room(b);
    return block_next(b) == heap_top(h) && asize <= MAX_BLOCK && h->may_grow &&
           region_extend(h, asize - room);
}

/* Move b's payload down into the free block before it. @return its new place */
static inline struct block *block_slide(struct heap *h, struct block *b)
{
    struct block *prev = block_prev(b);
    size_t size = block_size(prev) + block_size(b), kept = block_usable(b);
    unlist(h, prev);
    block_unmake(b);
    memmove(block_payload(prev), block_payload(b), kept);
    block_set_used(prev, size);
    return prev;
}

/* Would a second block of asize bytes need no new memory? */
static inline bool heap_has(struct heap *h, size_t asize)
{
    retire_victim(h);
    return fit_find(h, asize) != NULL;
}

/** Resize b without a second block, the payload kept: shrink, grow into the
 * next block, slide into the previous one; or grow into the heap's tail. But a
 * block that grows by a large step, as buffers that double do, moves to where
 * there is room before it makes the heap longer. So does any that has twice its
 * size free below: else a block that is made, grows and is freed again and
 * again would make the heap longer each time.
 * @return the block, perhaps moved down; NULL: it does not fit, b is as it was.
 */
static inline struct block *heap_resize(struct heap *h, struct block *b,
                                        size_t asize)
{
    size_t room = block_room(b);
    if (asize > room) {
        bool small = asize - room <= asize / SMALL_STEP;
        size_t before = prev_used(b) ? 0 : block_size(block_prev(b));
        bool below = before >= 2 * asize; /* much room, and to spare */
        if (small && !below && block_extend(h, b, asize))
            ; /* it stays at the heap's end, where it can go on growing */
        else if (before + room >= asize)
            b = block_slide(h, b);
        else if (small || heap_has(h, asize) || !block_extend(h, b, asize))
            return NULL;
    }
    if (asize > block_size(b))
        block_annex(h, b, asize);
    block_trim(h, b, asize);
    return b;
}

#endif
