/* seglist.h - the default policy: segregated free lists.
 *
 *   summary ─► bitmap of non-empty lists ─► heads[class] ─► block <─► block
 *   1 word     NCLASSES bits                             LIFO, 32-bit links
 *
 * The first non-empty list is found by counting trailing zeros twice, so a fit
 * is found in O(1). Up to EXACT_MAX each list has one size, and so the fit is
 * the best. Above, a list's sizes differ by up to 1/16: there the best of the
 * first FIT_TRIES blocks serves.
 *
 * Invariants (fit_check counts and names what is broken)
 *   H5 a free block is in the list of its class
 *   H6 links are symmetric; a list's bit is set iff the list is not empty, and
 *      a word's in the summary iff one of its lists is not
 *
 * Lists by size class are the 15-213 malloc lab's (Bryant & O'Hallaron);
 * bitmaps over them and the victim are dlmalloc's (Lea, 1987-2012). */
#ifndef MM_ENGINE_SEGLIST_H
#define MM_ENGINE_SEGLIST_H

#include "mm/engine/fit.h"

#define FIT_VICTIM 1
#define FIT_BY_CLASS 1
#define FIT_TRIES 8
#define NBITMAP ((NCLASSES + 63) / 64)

struct fit {
    char *base;               /* links count from here */
    struct block *victim;     /* in no list (fit.h) */
    uint64_t summary;         /* bit w: bitmap[w] != 0 */
    uint64_t bitmap[NBITMAP]; /* bit c: list c is not empty */
    uint32_t heads[NCLASSES]; /* links */
};

_Static_assert(NBITMAP <= 64, "one summary word");

/* ---- lists ----------------------------------------------------------- */

/* Class c has just got its first block, or lost its last. */
static always_inline void mark_class(struct fit *f, unsigned c)
{
    f->bitmap[c / 64] |= 1ull << (c % 64);
    f->summary |= 1ull << (c / 64);
}

static always_inline void unmark_class(struct fit *f, unsigned c)
{
    f->bitmap[c / 64] &= ~(1ull << (c % 64));
    if (!f->bitmap[c / 64])
        f->summary &= ~(1ull << (c / 64));
}

/* To the front of the list of its class. */
static always_inline void fit_insert(struct fit *f, struct block *b,
                                     size_t size)
{
    unsigned c = size_class(size);
    uint32_t head = f->heads[c], link = block_link(f->base, b);
    b->next = head;
    b->prev = 0;
    f->heads[c] = link;
    if (head)
        link_block(f->base, head)->prev = link;
    else
        mark_class(f, c);
}

static always_inline void fit_remove(struct fit *f, struct block *b,
                                     size_t size)
{
    uint32_t next = b->next, prev = b->prev;
    if (next)
        link_block(f->base, next)->prev = prev;
    if (prev) {
        link_block(f->base, prev)->next = next;
        return;
    }
    unsigned c = size_class(size);
    f->heads[c] = next;
    if (!next)
        unmark_class(f, c);
}

/* The first non-empty class >= c, or NCLASSES. */
static always_inline unsigned next_class(const struct fit *f, unsigned c)
{
    unsigned w = c / 64;
    if (w >= NBITMAP)
        return NCLASSES;
    uint64_t bits = f->bitmap[w] >> (c % 64);
    if (bits)
        return c + (unsigned)__builtin_ctzl(bits);
    uint64_t words = f->summary & (~1ull << w); /* w == 63: 0, as it must be */
    if (!words)
        return NCLASSES;
    w = (unsigned)__builtin_ctzl(words);
    return w * 64 + (unsigned)__builtin_ctzl(f->bitmap[w]);
}

/* ---- fit ------------------------------------------------------------- */

/* The smallest of the first FIT_TRIES blocks of list c that hold asize. */
static inline struct block *list_best(const struct fit *f, unsigned c,
                                      size_t asize)
{
    struct block *best = NULL;
    size_t best_size = SIZE_MAX;
    uint32_t link = f->heads[c];
    for (int i = 0; link && i < FIT_TRIES; i++) {
        struct block *b = link_block(f->base, link);
        size_t size = block_size(b);
        if (size >= asize && size < best_size) {
            best = b;
            best_size = size;
        }
        link = b->next;
    }
    return best;
}

static always_inline uint32_t fit_exact(const struct fit *f, size_t asize)
{
    return f->heads[size_class(asize)];
}

static always_inline struct block *fit_find(const struct fit *f, size_t asize)
{
    unsigned c = size_class(asize);
    if (unlikely(c >= NEXACT)) {
        struct block *b = list_best(f, c, asize);
        if (b)
            return b;
        c++; /* every block of a higher class is large enough */
    }
    c = next_class(f, c);
    if (c >= NCLASSES)
        return NULL;
    return c < NEXACT ? link_block(f->base, f->heads[c])
                      : list_best(f, c, asize);
}

/* Try FIT_TRIES of the blocks that may hold it, from the smallest class on;
 * then take one that is large enough wherever it begins. More tries, each a
 * miss of the cache, found no better places. */
static inline struct block *fit_find_aligned(const struct fit *f, size_t asize,
                                             size_t align)
{
    size_t most = asize + align - ALIGN;
    unsigned last = size_class(most);
    unsigned c = size_class(asize);
    int tries = FIT_TRIES;
    for (; tries && (c = next_class(f, c)) <= last && c < NCLASSES; c++) {
        uint32_t link = f->heads[c];
        for (; link && tries; tries--) {
            struct block *b = link_block(f->base, link);
            if (align_lead(b, align) + asize <= block_size(b))
                return b;
            link = b->next;
        }
    }
    return fit_find(f, most);
}

/* ---- all of them ----------------------------------------------------- */

static always_inline void fit_each(struct fit *f, size_t least,
                                   fit_visit_fn *visit, void *arg)
{
    unsigned c = size_class(least);
    while ((c = next_class(f, c)) < NCLASSES) {
        uint32_t link = f->heads[c++];
        for (struct block *b; link; link = b->next) {
            b = link_block(f->base, link);
            visit(b, arg);
        }
    }
}

/* Put src's list c before dst's. */
static inline void list_splice(struct fit *dst, struct fit *src, unsigned c)
{
    uint32_t first = src->heads[c], last = first;
    if (!first)
        return;
    while (link_block(src->base, last)->next)
        last = link_block(src->base, last)->next;
    link_block(dst->base, last)->next = dst->heads[c];
    if (dst->heads[c])
        link_block(dst->base, dst->heads[c])->prev = last;
    else
        mark_class(dst, c);
    dst->heads[c] = first;
}

static inline void fit_splice(struct fit *dst, struct fit *src)
{
    for (unsigned c = 0; c < NCLASSES; c++)
        list_splice(dst, src, c);
}

/* ---- check ----------------------------------------------------------- */

/* H5, H6 of list c. @return its length */
static inline size_t list_check(const struct fit *f, fit_holds_fn *holds,
                                const void *h, unsigned c, size_t nfree,
                                size_t *bad)
{
    bool bit = f->bitmap[c / 64] >> (c % 64) & 1;
    *bad += broken(bit != (f->heads[c] != 0),
                   "H6 a list's bit is set iff it is not empty", &f->heads[c],
                   "list", c);
    size_t n = 0;
    uint32_t before = 0;
    for (uint32_t link = f->heads[c]; link; n++) {
        const struct block *b = link_block(f->base, link);
        size_t lost = broken(n > nfree || !holds(h, b),
                             "H6 links lead to blocks of the heap", b,
                             "not so in list", c);
        *bad += lost;
        if (lost)
            break;
        *bad += broken(block_used(b) || size_class(block_size(b)) != c,
                       "H5 a listed block is free and of its class", b,
                       "not so in list", c);
        *bad += broken(b->prev != before, "H6 links are symmetric", b,
                       "not so in list", c);
        before = link;
        link = b->next;
    }
    return n;
}

static inline size_t fit_check(const struct fit *f, fit_holds_fn *holds,
                               const void *h, size_t nfree, size_t *bad)
{
    size_t listed = 0;
    for (unsigned i = 0; i < NBITMAP; i++)
        *bad += broken((f->summary >> i & 1) != (f->bitmap[i] != 0),
                       "H6 a summary bit is set iff its word is not 0",
                       &f->bitmap[i], "not so for word", i);
    for (unsigned c = 0; c < NCLASSES; c++)
        listed += list_check(f, holds, h, c, nfree, bad);
    return listed;
}

#endif
