/* fit.h - what a heap asks of its policy: where free blocks wait, and which of
 * them serves a request.
 *
 *   heap.h     what blocks do: split, merge, grow           knows no policy
 *      │
 *   region.h   the heap, its victim, which bytes are dirty
 *      │ fit_insert, fit_remove, fit_exact, fit_find ...
 *      ▼
 *   a policy   seglist.h; fit_list.h, fit_tree.h, fit_tlsf.h   knows no heap
 *
 * A policy is one header, chosen by MM_FIT (config.h). It defines the functions
 * below and struct fit, which holds its lists, and besides
 *   base     links count from here
 *   victim   the rest of the block that was split last; it waits outside the
 *            lists; NULL: none
 * FIT_VICTIM says whether small requests are cut from the victim, FIT_BY_CLASS
 * whether the lists are those of sizeclass.h. Of a free block a policy writes
 * the two links only, for a mini has room for nothing else; the block's size is
 * in its header.
 *
 * Invariants (fit_check counts and names what is broken)
 *   H5 a free block is where the policy keeps it, exactly once, or is the
 *      victim; no other block is
 *   H6 the policy's links and bits agree with each other */
#ifndef MM_ENGINE_FIT_H
#define MM_ENGINE_FIT_H

#include "mm/engine/sizeclass.h"

struct fit;

/* What fit_each does to a block. */
typedef void fit_visit_fn(struct block *b, void *arg);
/* Does b begin in a region of h, the policy's heap, with 16 bytes of it? */
typedef bool fit_holds_fn(const void *h, const struct block *b);

/* ---- what a policy defines ------------------------------------------- */

/** Put b, a free block of this size, where it is to wait. */
static always_inline void fit_insert(struct fit *f, struct block *b,
                                     size_t size);
/** Take out b, a waiting block of this size. */
static always_inline void fit_remove(struct fit *f, struct block *b,
                                     size_t size);
/** The link to a waiting block of exactly asize <= EXACT_MAX, which serves
 * better than the victim; 0: none is found at once. */
static always_inline uint32_t fit_exact(const struct fit *f, size_t asize);
/** The block to serve asize bytes; it stays where it waits. NULL: none. */
static inline struct block *fit_find(const struct fit *f, size_t asize);
/** As fit_find, a block that holds an aligned payload. */
static inline struct block *fit_find_aligned(const struct fit *f, size_t asize,
                                             size_t align);
/** Visit all waiting blocks of at least `least` bytes, and perhaps smaller
 * ones. A visit changes no list. */
static always_inline void fit_each(struct fit *f, size_t least,
                                   fit_visit_fn *visit, void *arg);
/** Take over all blocks of src, which is not used any more. */
static inline void fit_splice(struct fit *dst, struct fit *src);
/** H5 and H6 of f, which is h's: add what is broken to *bad. A list that goes
 * on after nfree blocks is damaged, and is left there.
 * @return blocks that wait */
static inline size_t fit_check(const struct fit *f, fit_holds_fn *holds,
                               const void *h, size_t nfree, size_t *bad);

/* ---- links ----------------------------------------------------------- */

static always_inline struct block *link_block(char *base, uint32_t link)
{
    return (struct block *)(base - HEADER_SIZE + (size_t)link * ALIGN);
}

static always_inline uint32_t block_link(const char *base,
                                         const struct block *b)
{
    return (uint32_t)((size_t)((const char *)b + HEADER_SIZE - base) / ALIGN);
}

/* Bytes to skip in b so that the payload is aligned. */
static inline size_t align_lead(const struct block *b, size_t align)
{
    uintptr_t payload = (uintptr_t)block_payload(b);
    return round_up(payload, align) - payload;
}

#endif
