/* heap.h - the engine: split, merge, grow and resize boundary-tag blocks.
 *
 *   request ─► exact list ─► victim ──► best fit ─────────► the heap grows
 *              one of its    its low    low end: small,     by what it lacks
 *              size          end        high end: large
 *
 * Knows no thread: the caller owns the heap, by a lock or for good. What a heap
 * is stands in region.h.
 *
 * Policy. If there is a free block of exactly its size, a small request gets
 * that. Else it is cut from the low end of the victim, so that blocks made
 * together lie together; or, if the victim is too small, from the best fit,
 * whose rest becomes the victim. A large request is cut from the high end of
 * the best fit, so that small and large blocks keep apart. A heap grows by no
 * more than it lacks. A block that is freed is merged with its free neighbours
 * at once.
 *
 * Invariants (check.h counts and names what is broken)
 *   H1 every block's size is a multiple of 16, >= 16, and ends in its region
 *   H2 a block's prev bits tell the truth about the block before it
 *   H3 no two free blocks are adjacent
 *   H4 a free block that is not a mini has a footer equal to its size
 *   H5, H6 see fit.h; H7, H8 see region.h
 *
 * Boundary tags are Knuth's (1968); blocks of the victim and two-ended
 * placement keep what is allocated together close (Wilson et al., 1995). */
#ifndef MM_ENGINE_HEAP_H
#define MM_ENGINE_HEAP_H

#include "config.h"
#include "mm/engine/purge.h"

#include <errno.h>

/* Bytes, or parts of a heap. */
#define LOW_RESERVE ((size_t)64)      /* of a new heap, for small blocks */
#define SMALL_STEP 8                  /* a realloc by less: more will come, */
#define SLACK 32                      /* ... for which it takes this part */
#define GROWTH 32                     /* a heap with steps grows by 1/32, */
#define STEP_MOST ((size_t)1 << 20)   /* ... or by this, if that is less */
#define REGION_MIN ((size_t)16 << 10) /* of a further region, at least; */
#define LARGE_HEAP ((size_t)1 << 18)  /* ... in a heap of that many bytes */
#define LARGE_GROWTH 8                /* ... 1/8 of it */
#define SPARSE_MIN ((size_t)8 << 10)  /* of a block that may stay untouched */
#define SLAB_MOST ((size_t)16 << 10)  /* of a slab */

/* ---- free and merge -------------------------------------------------- */

/** Return b to h, merged with its free neighbours. */
static always_inline void heap_free(struct heap *h, struct block *b)
{
    size_t size = block_size(b), clean = 0;
    size_t victim = 0; /* its size, if b is merged with it */
    struct block *next = block_next(b), *v = h->fit.victim;
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
        h->fit.victim = b;
        h->victim_dirty += size - victim - clean;
    } else {
        free_set_dirty(b, size, size - clean);
        list_insert(h, b, size);
    }
    if (unlikely(size >= PURGE_MIN) && heap_overflows(h))
        heap_give(h);
}

/* ---- grow ------------------------------------------------------------ */

/* The least by which h grows. Where heaps grow in steps, threads rarely meet at
 * the break, which they share. */
static inline size_t heap_step(const struct heap *h)
{
    return h->grows_in_steps
               ? min_size(round_up(h->size / GROWTH, ALIGN), STEP_MOST)
               : 0;
}

/* May a block stay untouched but for its first bytes? A large one may, but not
 * a slab, which has whole pages, too: it is cut up. */
static inline bool may_stay_untouched(size_t asize, size_t align)
{
    return asize >= SPARSE_MIN && (align == ALIGN || asize > SLAB_MOST);
}

/* Make a free block that holds asize bytes with an aligned payload, from as
 * little new memory as will do. @return NULL: the heap may not grow, or, with
 * errno == ENOMEM, no memory is left. */
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
    if (h->dirty > h->size / 8)
        heap_purge_to_grow(h, asize);
    if (!h->regions)
        return region_new(h, most + (asize > EXACT_MAX ? LOW_RESERVE : 0));
    struct block *top = heap_top(h);
    size_t need = align_lead(top, align) + asize;
    if (need <= block_size(top))
        return top;
    size_t lacks = need - block_size(top), step = heap_step(h);
    if (may_stay_untouched(asize, align))
        mem_grows_sparse(max_size(lacks, step));
    struct block *b = step > lacks ? region_extend(h, step) : NULL;
    if (b || (b = region_extend(h, lacks)))
        return b;
    /* Another heap's memory follows. Take more than is needed, so that this
     * happens less often: then a block that grows step by step moves only a few
     * times, and few regions meet, whose common page never goes back. */
    size_t part = h->size < LARGE_HEAP ? GROWTH : LARGE_GROWTH;
    size_t more = max_size(h->size / part, most + most / 2);
    more = max_size(REGION_MIN, round_up(more, ALIGN));
    b = region_new(h, more);
    return b ? b : region_new(h, most);
}

/* ---- take ------------------------------------------------------------ */

/* The dirty bytes of what is left of b, a free block, when asize bytes of it
 * are used. Which of these are dirty is not known: they count as clean as far
 * as can be, so that what is left never counts as less dirty than it is. */
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

/* The same of b, which is listed. The hint lies where b's links were, which
 * nobody reads any more. */
static always_inline struct block *
block_take_listed(struct heap *h, struct block *b, size_t offset, size_t asize)
{
    size_t size = block_size(b);
    list_remove(h, b, size);
    if (unlikely(asize >= PURGE_MIN))
        block_hint_clean(block_at(b, offset), size, free_dirty(b, size));
    return block_take(h, b, offset, asize);
}

/* Use the first asize bytes of b, which is in no list and large enough; the
 * rest becomes the victim. */
static always_inline struct block *take_low(struct heap *h, struct block *b,
                                            size_t asize)
{
    size_t rest = block_size(b) - asize;
    if (!rest) {
        h->fit.victim = NULL;
        block_set_used(b, asize);
        return b;
    }
    struct block *tail = block_at(b, asize);
    tail->header = BLOCK_PREV_USED;
    block_set_free(tail, rest);
    h->fit.victim = tail;
    header_write(b, asize | (b->header & BLOCK_PREV_BITS));
    return b;
}

/* heap_malloc, where neither the exact list nor the victim serves. */
static inline struct block *heap_malloc_fit(struct heap *h, size_t asize)
{
    retire_victim(h);
    struct block *b = fit_find(&h->fit, asize);
    if (unlikely(!b)) {
        b = heap_grow(h, asize, ALIGN);
        if (!b)
            return NULL;
    }
    if (asize > EXACT_MAX)
        return block_take_listed(h, b, block_size(b) - asize, asize);
    list_remove(h, b, block_size(b));
    h->victim_dirty = free_dirty(b, block_size(b));
    return take_low(h, b, asize);
}

/** Allocate a block. @param asize  a block size, header included.
 * @return NULL, errno == ENOMEM: the heap cannot grow. */
static always_inline struct block *heap_malloc(struct heap *h, size_t asize)
{
    if (likely(asize <= EXACT_MAX)) {
        uint32_t exact = fit_exact(&h->fit, asize);
        if (exact) {
            struct block *b = link_block(h->fit.base, exact);
            list_remove(h, b, asize);
            block_set_used(b, asize);
            return b;
        }
        if (FIT_VICTIM && h->fit.victim && asize <= block_size(h->fit.victim))
            return take_low(h, h->fit.victim, asize);
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
    struct block *b = fit_find_aligned(&h->fit, asize, align);
    if (!b)
        b = heap_grow(h, asize, align);
    if (!b)
        return NULL;
    return block_take_listed(h, b, align_lead(b, align), asize);
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

/* Let b, in use, grow to asize bytes into the free block after it. */
static inline void block_annex(struct heap *h, struct block *b, size_t asize)
{
    struct block *next = block_next(b);
    unlist(h, next);
    block_take(h, next, 0, asize - block_size(b));
    block_unmake(next);
    block_set_used(b, asize);
}

/* Bytes that b, in use, may grow to without moving. */
static inline size_t block_room(const struct block *b)
{
    const struct block *next = block_next(b);
    return block_size(b) + (block_used(next) ? 0 : block_size(next));
}

/* If b is the last block in use, let the heap grow so that b has room for
 * asize, and for the slack, too, if that can be had.
 * @return it has */
static inline bool block_extend(struct heap *h, struct block *b, size_t asize,
                                size_t slack)
{
    if (block_next(b) != heap_top(h) || asize > MAX_BLOCK - slack ||
        !h->may_grow)
        return false;
    size_t lacks = asize - block_room(b);
    return region_extend(h, lacks + slack) ||
           (slack && region_extend(h, lacks));
}

/* Move b's payload down into the free block before it. @return the block of
 * both */
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

/* Has h a free block for asize bytes? */
static inline bool heap_has(struct heap *h, size_t asize)
{
    retire_victim(h);
    return fit_find(&h->fit, asize) != NULL;
}

/* Is a step by `lacks` bytes, to asize, a small one, so that more will come? */
static inline bool is_small_step(size_t lacks, size_t asize)
{
    return lacks <= asize / SMALL_STEP;
}

/* What b, in use, takes beyond asize as it grows by a small step. Where a heap
 * grows in steps, so does the block, and the next small steps change nothing
 * (block_stays). */
static inline size_t block_slack(const struct heap *h, const struct block *b,
                                 size_t asize)
{
    size_t had = block_size(b);
    if (!h->grows_in_steps || asize <= had ||
        !is_small_step(asize - had, asize))
        return 0;
    return round_up(asize / SLACK, ALIGN);
}

/** Resize b, its payload kept, without a second block: shrink it, or let it
 * grow into the free block after it, the free block before it, or a longer
 * heap. The heap becomes longer for a small step, as more will follow. For a
 * large step, as of buffers that double, it does so only where the heap has no
 * block of that size, to which the payload could be moved. Nor does it where
 * twice the size is free before b: else a block that is made, grows and is
 * freed, again and again, would make the heap longer each time.
 * @return the block, perhaps moved down; NULL: it does not fit, b is as it was.
 */
static inline struct block *heap_resize(struct heap *h, struct block *b,
                                        size_t asize)
{
    size_t room = block_room(b), slack = block_slack(h, b, asize);
    if (asize > room) {
        bool small = is_small_step(asize - room, asize);
        size_t before = prev_used(b) ? 0 : block_size(block_prev(b));
        bool below = before >= 2 * asize; /* much room, and to spare */
        if (small && !below && block_extend(h, b, asize, slack))
            ; /* it stays at the heap's end, where it can go on growing */
        else if (before + room >= asize)
            b = block_slide(h, b);
        else if (small || heap_has(h, asize) || !block_extend(h, b, asize, 0))
            return NULL;
    }
    asize = min_size(block_room(b), asize + slack);
    if (asize > block_size(b))
        block_annex(h, b, asize);
    block_trim(h, b, asize);
    return b;
}

#endif
