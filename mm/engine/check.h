/* check.h - walks an arena and names each broken invariant of heap.h, slab.h.
 *
 * Always compiled: mm_check works in the build that failed. One line on stderr
 * for each, with the invariant's number and the address; the functions count.
 * A block whose size cannot be right ends the walk of its region: nothing
 * behind it can be found. */
#ifndef MM_CHECK_H
#define MM_CHECK_H

#include "mm/engine/arena.h"

/* What a block's prev bits must say, after the block before it. */
static inline uint64_t expected_prev_bits(const struct block *before)
{
    if (!before || block_used(before))
        return BLOCK_PREV_USED;
    return block_size(before) == MIN_BLOCK ? BLOCK_PREV_MINI : 0;
}

/* H2-H4 of one block; before is NULL for a region's first. */
static inline size_t block_check(const struct block *b,
                                 const struct block *before)
{
    uint64_t bits = b->header & BLOCK_PREV_BITS;
    size_t bad = broken(bits != expected_prev_bits(before),
                        "H2 the bits about the block before", b,
                        "they are wrong; they say", bits);
    if (block_used(b))
        return bad;
    bad += broken(before && !block_used(before), "H3 free blocks are merged", b,
                  "it and the one before are free; its size is", block_size(b));
    if (block_size(b) > MIN_BLOCK)
        bad += broken(*block_footer(b) != block_size(b),
                      "H4 a free block's footer is its size", b,
                      "the footer says", *block_footer(b));
    return bad;
}

struct walk {
    size_t bad, nfree, dirty, clean;
    bool victim; /* met, and free */
};

/* The dirty bytes of a free block that keeps count, H7; the victim does not. */
static inline size_t dirty_check(const struct block *b, size_t size,
                                 struct walk *w)
{
    w->dirty += block_dirty(b, size);
    w->clean += free_clean(b, size);
    return broken(free_dirty(b, size) > size,
                  "H7 a block's dirty bytes are its own", b, "it says",
                  free_dirty(b, size));
}

static inline void region_check(const struct heap *h, const struct region *r,
                                struct walk *w)
{
    const char *end = region_end(r) - HEADER_SIZE;
    const struct block *b = (const struct block *)(r + 1), *before = NULL;
    while ((const char *)b < end) {
        size_t size = block_size(b), room = (size_t)(end - (const char *)b);
        size_t lost =
            broken(size < MIN_BLOCK || size > room ||
                       (!block_used(b) && b->header & BLOCK_OWNER),
                   "H1 a block ends in its region", b, "its size is", size);
        w->bad += lost;
        if (lost)
            return;
        w->bad += block_check(b, before);
        w->nfree += !block_used(b);
        w->victim |= b == h->victim && !block_used(b);
        if (!block_used(b) && b != h->victim)
            w->bad += dirty_check(b, size, w);
        before = b;
        b = block_next(b);
    }
    w->bad += broken(!block_is_end(b) || !block_used(b),
                     "H1 a region has an end header", b, "it holds", b->header);
    w->bad +=
        broken((b->header & BLOCK_PREV_BITS) != expected_prev_bits(before),
               "H2 the bits about the block before", b,
               "they are wrong in an end header; they say",
               b->header & BLOCK_PREV_BITS);
}

/** Count the broken invariants of h, printing each. O(blocks).
 * @pre quiescent: no thread is inside the heap. */
static cold_noinline size_t heap_check(const struct heap *h)
{
    struct walk w = {0};
    uint32_t link = h->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        region_check(h, r, &w);
    }
    if (w.bad) /* the lists would only repeat it, or lead astray */
        return w.bad;
    w.bad = broken(h->victim && !w.victim,
                   "H5 the victim is a free block of the heap", h->victim,
                   "not so; free blocks:", w.nfree);
    size_t listed = h->victim != NULL;
    listed += fit_check(h, w.nfree, &w.bad);
    w.bad += broken(
        listed != w.nfree, "H5 every free block is listed, once", h,
        "free blocks that are not listed, or too often:", w.nfree - listed);
    w.bad += broken(w.dirty != h->dirty, "H7 dirty bytes are counted", h,
                    "the count says", h->dirty);
    w.bad += broken(w.clean != h->clean, "H7 clean bytes are counted", h,
                    "the count says", h->clean);
    return w.bad;
}

static inline unsigned slab_count_free(const struct slab *r)
{
    unsigned n = 0;
    for (unsigned w = 0; w < SLAB_WORDS; w++)
        n += (unsigned)__builtin_popcountl(r->free[w]);
    return n;
}

static inline bool slab_listed(const struct heap *h, const struct slabs *slabs,
                               const struct slab *r)
{
    uint32_t link = slabs->partial[r->class];
    for (; link; link = link_slab(h, link)->next)
        if (link_slab(h, link) == r)
            return true;
    return false;
}

/* R3 of class c's list: slabs of c, linked both ways. The heap's pages bound
 * the walk: a list may be a ring by damage. */
static inline size_t slab_list_check(const struct heap *h,
                                     const struct slabs *slabs, unsigned c)
{
    size_t left = h->size / PAGE + 1, bad = 0;
    uint32_t before = 0;
    for (uint32_t link = slabs->partial[c]; link; left--) {
        const struct block *b = link_block(h, link);
        const struct slab *r = block_payload(b);
        if (broken(left == 0 || !heap_holds(h, b) || (uintptr_t)r % PAGE ||
                       (page_tag(r) & TAG_CLASS) != c,
                   "R3 a class's list leads to its slabs", b,
                   "not so in the list of class", c))
            return bad + 1;
        bad += broken(r->prev != before, "R3 links of slabs are symmetric", r,
                      "not so in the list of class", c);
        before = link;
        link = r->next;
    }
    return bad;
}

/* R1-R4 of one slab, whose page has a tag. */
static inline size_t slab_check(const struct heap *h, const struct slabs *slabs,
                                const struct slab *r)
{
    size_t bad = 0;
    for (unsigned i = r->capacity; i < SLAB_WORDS * 64; i++)
        bad += broken(r->free[i / 64] >> (i % 64) & 1,
                      "R1 only blocks of the slab are free", r, "slot", i);
    unsigned nfree = slab_count_free(r);
    bad +=
        broken(r->used + nfree != r->capacity,
               "R2 used and free blocks are all blocks", r, "used is", r->used);
    return bad + broken(slab_listed(h, slabs, r) != (nfree > 0),
                        "R3 a slab is listed iff it has a free block", r,
                        "free blocks:", nfree);
}

/* Is b, as the map of pages says, the block of a slab? */
static inline bool block_has_slab(const struct block *b)
{
    const void *p = block_payload(b);
    return block_used(b) && block_size(b) == PAGE && (uintptr_t)p % PAGE == 0 &&
           page_tag(p);
}

/* R4 of a block that is no slab's: no page that begins in it has a tag. */
static inline size_t untagged_check(const struct block *b)
{
    size_t bad = 0;
    const char *end = (const char *)block_next(b);
    const char *page = (const char *)block_payload(b) + align_lead(b, PAGE);
    for (; page < end; page += PAGE)
        bad +=
            broken(page_tag(page),
                   "R4 only a slab's page has a tag, and its block is in use",
                   page, "the tag is", page_tag(page));
    return bad;
}

/* All of the slab of b, or what a block without one has to do with slabs.
 * @param live  counts the tight blocks of each class, for R5 */
static inline size_t slab_block_check(const struct heap *h,
                                      const struct slabs *slabs,
                                      const struct block *b, uint32_t *live)
{
    if (block_has_slab(b)) {
        const struct slab *r = block_payload(b);
        if (broken(r->class != (page_tag(r) & TAG_CLASS) ||
                       r->class - 1u >= SLAB_CLASSES,
                   "R4 a page's tag is the class of its slab", r, "the tag is",
                   page_tag(r)))
            return 1;
        live[r->class] += r->used;
        return slab_check(h, slabs, r);
    }
    if (block_used(b) && !(b->header & BLOCK_ROOMY)) {
        size_t c = block_size(b) / ALIGN - 1;
        if (broken(c - 1 >= SLAB_CLASSES, "R5 a tight block has a tight size",
                   b, "its size is", block_size(b)))
            return 1;
        live[c]++;
    }
    return untagged_check(b);
}

/** As heap_check, for the slabs. @pre heap_check(h) == 0 */
static cold_noinline size_t slabs_check(const struct heap *h,
                                        const struct slabs *slabs)
{
    size_t bad = 0;
    uint32_t live[SLAB_CLASSES + 1] = {0}, link = h->regions;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        bad += slab_list_check(h, slabs, c);
    if (bad) /* slab_listed would be led astray */
        return bad;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        const struct block *b = (const struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b))
            bad += slab_block_check(h, slabs, b, live);
    }
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        bad += broken(live[c] != slabs->live[c],
                      "R5 live tight blocks are counted", &slabs->live[c],
                      "the count says", slabs->live[c]);
    return bad;
}

struct owners_walk {
    bool (*lies_in)(const void *p, const void *shard);
    const void *shard;
    const char *invariant;
    size_t bad;
};

static inline void owner_check(struct block *b, void *walk)
{
    struct owners_walk *w = walk;
    const void *p = block_payload(b);
    w->bad += broken(!w->lies_in(p, w->shard), w->invariant, p,
                     "it names shard", payload_owner(p));
}

/** All of one arena, and that each block in use says whose it is.
 * @param lies_in  does what p says lead to this shard?
 * @param invariant  the stage's own, broken where it does not */
static inline size_t arena_check_owned(const struct arena *a,
                                       bool (*lies_in)(const void *p,
                                                       const void *shard),
                                       const void *shard, const char *invariant)
{
    size_t bad = heap_check(&a->heap);
    if (bad)
        return bad;
    struct owners_walk w = {lies_in, shard, invariant, 0};
    arena_each_used(a, owner_check, &w);
    return slabs_check(&a->heap, &a->slabs) + w.bad;
}

#endif
