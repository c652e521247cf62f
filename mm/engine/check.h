/* check.h - walks an arena and names each broken invariant of heap.h, region.h,
 * slab.h and arena.h.
 *
 * Always compiled: mm_check works in the build that failed. One line on stderr
 * for each, with the invariant's number and the address; the functions count.
 * A block whose size cannot be right ends the walk of its region: nothing
 * behind it can be found. */
#ifndef MM_ENGINE_CHECK_H
#define MM_ENGINE_CHECK_H

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
    w->bad += broken(mem_zone(r) != h->fit.base ||
                         mem_zone(region_end(r) - 1) != h->fit.base,
                     "H8 a region lies in its heap's zone", r, "not so; it has",
                     r->size * ALIGN);
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
        w->victim |= b == h->fit.victim && !block_used(b);
        if (!block_used(b) && b != h->fit.victim)
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

/* What fit_check asks of its heap. */
static inline bool holds(const void *heap, const struct block *b)
{
    return heap_holds(heap, b);
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
    w.bad = broken(h->fit.victim && !w.victim,
                   "H5 the victim is a free block of the heap", h->fit.victim,
                   "not so; free blocks:", w.nfree);
    size_t listed = h->fit.victim != NULL;
    listed += fit_check(&h->fit, holds, h, w.nfree, &w.bad);
    w.bad += broken(
        listed != w.nfree, "H5 every free block is listed, once", h,
        "free blocks that are not listed, or too often:", w.nfree - listed);
    w.bad += broken(w.dirty != h->dirty, "H7 dirty bytes are counted", h,
                    "the count says", h->dirty);
    w.bad += broken(w.clean != h->clean, "H7 clean bytes are counted", h,
                    "the count says", h->clean);
    return w.bad;
}

/* S1 of the list in s: at most all that were carved, so that damage ends.
 * @return its blocks */
static inline unsigned slab_free_check(const struct mem_page *s, unsigned c,
                                       size_t *bad)
{
    uint64_t seen[SLAB_WORDS] = {0};
    unsigned n = 0;
    for (const char *p = s->free; p && n <= s->carved; n++) {
        size_t off = (size_t)(p - slab_start(s)), i = off / (c * ALIGN);
        size_t lost = broken(off % (c * ALIGN) || i >= s->carved,
                             "S1 a slab's free blocks are its own", p,
                             "not so in a slab of class", c);
        *bad += lost;
        if (lost)
            return n;
        *bad += broken(seen[i / 64] >> (i % 64) & 1,
                       "S1 a free block waits once", p, "it is slot", i);
        *bad += broken(!block_has_key(p), "S1 a free block has its key", p,
                       "not so; it is slot", i);
        seen[i / 64] |= (uint64_t)1 << (i % 64);
        p = *(char *const *)p;
    }
    return n;
}

/* S1 and S2 of one slab of class c. */
static inline size_t slab_check(const struct mem_page *s, unsigned c)
{
    size_t bad = 0;
    unsigned nfree = slab_free_check(s, c, &bad);
    if (bad)
        return bad;
    if (s->listed)
        return broken(s->room + nfree != s->carved,
                      "S1 blocks out and free ones are all that were carved",
                      slab_start(s), "blocks out:", s->room) +
               broken(!nfree && s->carved >= slab_classes[c].slots,
                      "S3 a slab that is listed can serve", slab_start(s),
                      "it has no block; class", c);
    return broken(s->carved != slab_classes[c].slots || s->room != 1 || nfree,
                  "S2 a slab that is not listed has none to give",
                  slab_start(s), "free blocks:", nfree);
}

/* S4 of page i of s, of class c. */
static inline size_t slab_tag_check(const struct mem_page *s, unsigned c,
                                    unsigned i)
{
    uint32_t tag = s[i].tag;
    bool begins = i * PAGE + c * ALIGN <= s->carved * (c * ALIGN);
    bool right = tag_class(tag) == c && s[i].units == i * PAGE_UNITS;
    return broken(begins ? !right : tag != 0,
                  "S4 a page's tag and units are the class and place of its "
                  "slab",
                  slab_start(s) + i * PAGE, "the tag is", tag);
}

/* S3 of class c's list. The heap's pages bound the walk: a list may be a ring
 * by damage. */
static inline size_t slab_list_check(const struct heap *h,
                                     const struct slabs *slabs, unsigned c,
                                     size_t *nlisted)
{
    size_t left = h->size / PAGE + 1, bad = 0;
    uint32_t before = 0, pages = (uint32_t)(mem_blocks() / PAGE_UNITS);
    for (uint32_t i = slabs->first[c]; i; left--) {
        if (broken(left == 0 || i >= pages,
                   "S3 a class's list leads to its "
                   "slabs",
                   &slabs->first[c], "not so in the list of class", c))
            return bad + 1;
        const struct mem_page *s = slab_at(i);
        if (broken(!heap_holds(h, payload_block(slab_start(s))) || !s->listed ||
                       tag_class(s->tag) != c,
                   "S3 a class's list leads to its slabs", slab_start(s),
                   "not so in the list of class", c))
            return bad + 1;
        bad += broken(s->prev != before, "S3 links of slabs are symmetric",
                      slab_start(s), "not so in the list of class", c);
        ++*nlisted;
        before = i;
        i = s->next;
    }
    return bad + broken(slabs->last[c] != before,
                        "S3 a class's list ends with its last slab",
                        &slabs->last[c], "not so in the list of class", c);
}

/* S4 of a block that is no slab's: no page that begins in it has a tag. */
static inline size_t untagged_check(const struct block *b)
{
    size_t bad = 0;
    const char *end = (const char *)block_next(b);
    const char *page = (const char *)block_payload(b) + align_lead(b, PAGE);
    for (; page < end; page += PAGE)
        bad +=
            broken(page_tag(page),
                   "S4 only a slab's page has a tag, and its block is in use",
                   page, "the tag is", page_tag(page));
    return bad;
}

struct slabs_walk {
    uint32_t nslabs[SLAB_CLASSES + 1], nlisted[SLAB_CLASSES + 1], live[NLIVE];
    size_t used;
};

/* All of the slab whose block is b. */
static inline size_t slab_block_check(const struct block *b,
                                      const struct mem_page *s,
                                      struct slabs_walk *w)
{
    unsigned c = tag_class(s->tag);
    if (broken(c - 1u >= SLAB_CLASSES || tag_bytes(s->tag) % ALIGN ||
                   block_size(b) != slab_classes[c].pages * PAGE,
               "S4 a page's tag is the class of its slab", slab_start(s),
               "the tag is", s->tag))
        return 1;
    size_t bad = slab_check(s, c);
    for (unsigned i = 0; i < slab_classes[c].pages; i++)
        bad += slab_tag_check(s, c, i);
    w->nslabs[c]++;
    w->nlisted[c] += s->listed;
    return bad;
}

static inline size_t counts_check(const struct arena *a,
                                  const struct slabs_walk *w)
{
    size_t bad = 0;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        size_t nlisted = 0;
        bad += slab_list_check(&a->heap, &a->slabs, c, &nlisted);
        bad += broken(nlisted != w->nlisted[c], "S3 listed slabs are in a list",
                      &a->slabs.first[c], "it has", nlisted);
        bad +=
            broken(w->nslabs[c] != a->slabs.nslabs[c], "S5 slabs are counted",
                   &a->slabs.nslabs[c], "the count says", a->slabs.nslabs[c]);
    }
    for (unsigned i = 0; i < NLIVE; i++)
        bad += broken(w->live[i] != a->live[i],
                      "S6 live blocks of the heap are counted", &a->live[i],
                      "the count says", a->live[i]);
    return bad + broken(w->used != a->used,
                        "S7 bytes of the heap's live blocks are counted", a,
                        "the count says", a->used);
}

/** As heap_check, for the slabs. @pre heap_check(&a->heap) == 0 */
static cold_noinline size_t slabs_check(const struct arena *a)
{
    const struct heap *h = &a->heap;
    struct slabs_walk w = {0};
    size_t bad = 0;
    uint32_t link = h->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        const struct block *b = (const struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b)) {
            const struct mem_page *s = block_slab(b);
            bad += s ? slab_block_check(b, s, &w) : untagged_check(b);
            if (!s && block_used(b)) {
                if (block_size(b) < NLIVE * ALIGN)
                    w.live[block_size(b) / ALIGN]++;
                w.used += block_size(b);
            }
        }
    }
    return bad ? bad : counts_check(a, &w);
}

struct shard;

struct owners_walk {
    struct shard *(*find)(const void *p);
    const struct shard *shard;
    const char *invariant;
    size_t bad;
};

static inline void payload_owner_check(const void *p, struct owners_walk *w)
{
    w->bad += broken(w->find(p) != w->shard, w->invariant, p, "it names shard",
                     payload_owner(p));
}

/* A slab has an owner on each page that is carved. */
static inline void owner_check(struct block *b, void *walk)
{
    const struct mem_page *s = block_slab(b);
    const char *p = block_payload(b);
    payload_owner_check(p, walk);
    unsigned pages = s ? slab_classes[tag_class(s->tag)].pages : 1;
    for (unsigned i = 1; i < pages; i++)
        if (s[i].tag)
            payload_owner_check(p + i * PAGE, walk);
}

/** All of one arena, and that each block in use says whose it is.
 * @param find  the shard that a block in use lies in
 * @param shard  the one that has this arena
 * @param invariant  the stage's own, broken where it does not */
static inline size_t arena_check_owned(const struct arena *a,
                                       struct shard *(*find)(const void *p),
                                       const struct shard *shard,
                                       const char *invariant)
{
    size_t bad = heap_check(&a->heap);
    if (!bad)
        bad = slabs_check(a);
    struct owners_walk w = {find, shard, invariant, bad};
    if (!bad)
        arena_each_used(a, owner_check, &w);
    return w.bad;
}

#endif
