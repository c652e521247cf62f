/* merge.h - one arena takes in another: lists spliced, regions joined.
 *
 *   before   A: | block | free | end |  B: | region | free | block | end |
 *   after    A: | block | free: one block, the border is gone | block | end |
 *
 * Where a region of one begins at the end of a region of the other, the end
 * header and the region header between them, with what mem_sbrk skipped there,
 * are freed as a block of 16 to 64 bytes, and merging does the rest: a
 * request that fitted neither heap may fit now.
 * Regions are kept by falling address, which makes finding the borders one
 * walk.
 *
 * The blocks of the arena taken in still name their old owner, so its id must
 * lead to the new one (front/adopt.h). Both arenas must be the caller's. */
#ifndef MM_ENGINE_MERGE_H
#define MM_ENGINE_MERGE_H

#include "mm/engine/arena.h"

/* mem_sbrk skips less than this to begin at a cache line. So what lies between
 * two regions, if it is less, is nobody's: no region fits in there. */
#define BORDER_LINE ((size_t)64)

/* Put src's listed slabs of class c before dst's. */
static inline void slabs_splice(struct slabs *dst, const struct slabs *src,
                                unsigned c)
{
    dst->nslabs[c] += src->nslabs[c];
    if (!src->first[c])
        return;
    if (dst->first[c]) {
        slab_at(dst->first[c])->prev = src->last[c];
        slab_at(src->last[c])->next = dst->first[c];
    } else {
        dst->last[c] = src->last[c];
    }
    dst->first[c] = src->first[c];
}

/* Make one chain of two, by falling address. @return its first link */
static inline uint32_t regions_merge(const struct heap *h, uint32_t a,
                                     uint32_t b)
{
    uint32_t first = 0, *tail = &first;
    while (a && b) {
        uint32_t *higher = a > b ? &a : &b;
        *tail = *higher;
        tail = &heap_region(h, *higher)->next;
        *higher = *tail;
    }
    *tail = a ? a : b;
    return first;
}

/* Bytes from the end of low to high. */
static inline size_t regions_gap(const struct region *low,
                                 const struct region *high)
{
    return (size_t)((const char *)high - region_end(low));
}

/* Join low and high, which touch; their blocks are in h's lists. */
static inline void regions_join(struct heap *h, struct region *low,
                                const struct region *high)
{
    struct block *border = (struct block *)(region_end(low) - HEADER_SIZE);
    size_t gap = regions_gap(low, high);
    low->size += high->size + (uint32_t)(gap / ALIGN);
    h->size += gap;
    header_write(border, border->header | (MIN_BLOCK + gap)); /* prev bits are
                                                                 right */
    heap_free(h, border);
}

/* Join all regions of h that touch. A join frees their border; then ends of
 * regions may go back, and with them the place in the chain. */
static inline void regions_join_all(struct heap *h)
{
    uint32_t *at = &h->regions;
    while (*at) {
        struct region *high = heap_region(h, *at);
        struct region *low = heap_region(h, high->next);
        if (low && regions_gap(low, high) < BORDER_LINE) {
            *at = high->next;
            regions_join(h, low, high);
            at = is_scarce() ? &h->regions : at;
        } else {
            at = &high->next;
        }
    }
}

static inline void slab_relabel(struct mem_page *s, uint32_t owner)
{
    unsigned n = slab_classes[tag_class(s->tag)].pages;
    for (struct mem_page *page = s; page < s + n && page->tag; page++)
        page_set_tag(page, tag_bytes(page->tag) | owner_tag(owner));
}

static inline void block_relabel(struct block *b, void *id)
{
    uint32_t owner = *(const uint32_t *)id;
    struct mem_page *s = block_slab(b);
    if (s)
        slab_relabel(s, owner);
    else
        header_set_owner(b, owner);
}

/** Make every block in use in a name owner id; their users may be reading. */
static inline void arena_relabel(struct arena *a, uint32_t id)
{
    arena_each_used(a, block_relabel, &id);
}

/** May the two be one? */
static inline bool heaps_may_join(const struct heap *a, const struct heap *b)
{
    return !a->regions || !b->regions || a->fit.base == b->fit.base;
}

/** Take all that src has into dst; src is left empty. @pre heaps_may_join */
static cold_noinline void arena_merge(struct arena *dst, struct arena *src)
{
    struct heap *d = &dst->heap, *s = &src->heap;
    d->fit.base = d->regions ? d->fit.base : s->fit.base;
    retire_victim(s);
    fit_splice(&d->fit, &s->fit);
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        slabs_splice(&dst->slabs, &src->slabs, c);
    for (unsigned i = 0; i < NLIVE; i++)
        dst->live[i] += src->live[i];
    dst->used += src->used;
    d->dirty += s->dirty;
    d->clean += s->clean;
    d->given += s->given;
    d->used_mark += heap_in_use(s);
    d->size_mark += s->size;
    d->size += s->size;
    d->regions = regions_merge(d, d->regions, s->regions);
    regions_join_all(d);
    arena_init(src, s->owner);
}

#endif
