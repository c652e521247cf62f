/* sizeclass.h - which free list holds a block of a given size, by formula.
 *
 *   list        0    1    2 ...   63 |   64 ...  79 |  80 ...
 *   sizes      16   32   48 ... 1024 | 1040 .. 2048 | ...      16 lists for
 *              one size a list       | 64 apart     | 128 apart   each doubling
 *
 * Invariants: the class grows with the size; class_floor(c) is the smallest
 * size of class c; every size <= MAX_BLOCK has a class < NCLASSES.
 * The shape (exact small lists, then geometric steps with a few linear ones
 * each) is dlmalloc's and TLSF's (Masmano et al., 2004). */
#ifndef MM_ENGINE_SIZECLASS_H
#define MM_ENGINE_SIZECLASS_H

#include "mm/engine/block.h"

#define EXACT_MAX ((size_t)1024) /* one list a size up to here */
#define NEXACT (EXACT_MAX / ALIGN)
#define STEPS_LOG2 4 /* 16 lists per doubling above */
#define DOUBLINGS 26 /* 1 KiB .. 64 GiB; larger ones share the last list */
#define NCLASSES (NEXACT + ((size_t)DOUBLINGS << STEPS_LOG2))

/* @pre size is a multiple of ALIGN, > 0 */
static always_inline unsigned size_class(size_t size)
{
    if (likely(size <= EXACT_MAX))
        return (unsigned)(size / ALIGN) - 1;
    size_t n = size - 1; /* so that a power of two ends its doubling */
    unsigned top = log2_floor(n);
    size_t step = (n >> (top - STEPS_LOG2)) & ((1u << STEPS_LOG2) - 1);
    size_t c = NEXACT + (((size_t)top - 10) << STEPS_LOG2) + step;
    return (unsigned)min_size(c, NCLASSES - 1);
}

/* The smallest block size of class c. */
static inline size_t class_floor(unsigned c)
{
    if (c < NEXACT)
        return ((size_t)c + 1) * ALIGN;
    size_t top = (c - NEXACT) >> STEPS_LOG2;
    size_t step = (c - NEXACT) & ((1u << STEPS_LOG2) - 1);
    size_t below =
        ((((size_t)1 << STEPS_LOG2) + step) << (top + 10)) >> STEPS_LOG2;
    return below + ALIGN;
}

_Static_assert(EXACT_MAX == (size_t)1 << 10, "size_class subtracts 10");

#endif
