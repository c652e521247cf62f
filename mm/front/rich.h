/* rich.h - which orphan a thread that needs memory works in, and which it takes
 * in.
 *
 *   needy ── the oldest orphan ─► has plenty?  yes   works there from now on;
 *                                                    its own becomes an orphan
 *                                              no    takes it in: merges it,
 *                                                    and grows if need be
 *
 * Threads that come and go, some alive at a time, each need a little, and what
 * they leave is freed by others. Were a rich orphan taken in, there would be
 * one arena less: the next thread finds none left, makes a new one and grows
 * it, though the rich one needs nothing; and so with each round. (50,000
 * threads, ten at a time, 100 blocks each: 26 MB instead of 4.) So a rich arena
 * stays one of its own: there are as many as threads at once, each grows until
 * it has what a thread needs, and then none grows any more.
 *
 * Orphans wait first in, first out: most of what the oldest one's threads left
 * is free by now.
 *
 * An arena of another zone (memlib.h) cannot be taken in. It is worked in, if
 * it has such a block, or may grow where the needy one is full; or else left
 * alone, to be asked again later. */
#ifndef MM_FRONT_RICH_H
#define MM_FRONT_RICH_H

#include "mm/engine/merge.h"

/* Bytes of a free block that only a heap with plenty has: with room for a
 * page of small blocks, wherever it begins. */
#define RICH ((size_t)8 << 10)

/* No heap has that much: then an orphan is taken in, or left alone. */
#define NEVER_RICH SIZE_MAX

/** Bytes of the block that a request asks for, at most. */
static inline size_t request_most(size_t align, size_t size)
{
    return size > MAX_BLOCK / 2 || align > MAX_BLOCK / 2
               ? NEVER_RICH
               : request_to_block(size) + (align > ALIGN ? align : 0);
}

/** Has h, which is the caller's, a block of asize bytes, and plenty? */
static inline bool heap_is_rich(struct heap *h, size_t asize)
{
    return asize <= MAX_BLOCK && heap_has(h, max_size(asize, RICH));
}

/** What a thread does that needs a block of asize bytes. */
enum relief { WORK_THERE, TAKE_IN, LEAVE_ALONE };

/* Has a, which is the caller's, such a block as it is? A slab's may serve. */
static inline bool arena_has(struct arena *a, size_t asize)
{
    size_t c = asize / ALIGN; /* or the one below */
    bool slab =
        c <= SLAB_CLASSES && (a->slabs.first[c] || a->slabs.first[c - 1]);
    return slab || heap_has(&a->heap, asize);
}

/** Its arena is a, and o is an orphan's; both are the caller's. */
static inline enum relief arena_relief(const struct arena *a, struct arena *o,
                                       size_t asize)
{
    if (heap_is_rich(&o->heap, asize))
        return WORK_THERE;
    if (heaps_may_join(&a->heap, &o->heap))
        return TAKE_IN;
    if (asize == NEVER_RICH)
        return LEAVE_ALONE;
    bool grows = heap_is_full(&a->heap) && !heap_is_full(&o->heap);
    return grows || arena_has(o, asize) ? WORK_THERE : LEAVE_ALONE;
}

#endif
