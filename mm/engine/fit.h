/* fit.h - what a heap is, and what it asks of the policy that keeps its free
 * blocks.
 *
 *   heap.h, slab.h   what blocks do: split, merge, grow       know no policy
 *      │ list_insert, list_remove, fit_exact, fit_find ...
 *      ▼
 *   fit.h           victim, dirty bytes, purge               the same for all
 *      │ fit_insert, fit_remove, fit_each ...
 *      ▼
 *   a policy        where free blocks wait: which serves a request?
 *                   seglist.h; fit_list.h, fit_tree.h, fit_tlsf.h
 *
 * A policy is one header, chosen by MM_FIT (config.h). It defines struct fit,
 * includes this file, and then defines what is declared below. Of a free block
 * it may write the two links only, for a mini has no more; its size is in its
 * header.
 *
 * The victim is the rest of the block that was split last; it waits apart.
 * FIT_VICTIM says whether small requests are cut from it, FIT_BY_CLASS whether
 * lists are those of sizeclass.h.
 *
 * Invariants (check.h, and the policy's fit_check, count and name the broken)
 *   H5 a free block is where the policy keeps it, exactly once, or is the
 *      victim; no other block is
 *   H6 the policy's links and bits agree with each other
 *   H7 dirty == bytes that listed blocks >= PURGE_MIN call dirty: they may be
 *      resident; clean == bytes that listed blocks of any size call clean; no
 *      block calls more dirty than it has */
#ifndef MM_FIT_H
#define MM_FIT_H

#include "config.h"
#include "memlib.h"
#include "mm/engine/sizeclass.h"

/* Bytes: smaller free blocks keep their pages while their heap is at work; when
 * it is idle, only those smaller than DIRTY_MIN do. */
#define PURGE_MIN ((size_t)128 << 10)
#define DIRTY_MIN ((size_t)16 << 10)

struct heap {
    char *base;     /* links count from here: the zone of all its regions */
    uint32_t owner; /* the owner's id, as headers and tags say it */
    bool may_grow;  /* false: not now */
    bool grows_in_steps; /* by steps, heap_step */
    struct fit fit;      /* the policy's own */
    uint32_t regions;    /* link to the highest region's first block (heap.h) */
    struct block *victim; /* H5; NULL: none */
    size_t victim_dirty;  /* of its bytes may be resident, or more */
    size_t size;          /* bytes of all regions */
    size_t dirty;         /* H7 */
    size_t clean;         /* H7 */
    /* Purges that have a price, at a chance and at an overflow. If fewer bytes
     * than this are clean, most of what the last one gave was taken again; 0:
     * that has been taken into account. */
    size_t vain, vain_overflow;
    uint32_t wait, passed; /* chances to purge that pass, and have passed */
    uint32_t patience;     /* doublings of what may be waste */
    size_t allowance;      /* bytes that they may give now; NO_LIMIT */
    size_t purge_at; /* resident bytes below which growing purges nothing */
};

#define NO_LIMIT SIZE_MAX /* of an allowance: no time is counted */

struct region {
    uint32_t next; /* link to a lower region's first block; 0: none */
    uint32_t size; /* bytes / 16, this header and the end header included */
};

_Static_assert(sizeof(struct region) == HEADER_SIZE, "blocks start 8 mod 16");
_Static_assert(MEM_ZONE <= ALIGN << 32, "links and region sizes are 32-bit; "
                                        "memlib leaves the last page out");

/* What is done to each block by fit_each. */
typedef void fit_visit_fn(struct heap *h, struct block *b, void *arg);

/* ---- what a policy defines ------------------------------------------- */

/** Keep b, which is free and has that size. */
static always_inline void fit_insert(struct heap *h, struct block *b,
                                     size_t size);
/** Take out b, which waits and has that size. */
static always_inline void fit_remove(struct heap *h, struct block *b,
                                     size_t size);
/** The link to a waiting block of exactly asize <= EXACT_MAX, better than the
 * victim; 0: none is found at once. */
static always_inline uint32_t fit_exact(const struct heap *h, size_t asize);
/** The block to serve asize bytes, which goes on waiting; NULL: none. */
static inline struct block *fit_find(const struct heap *h, size_t asize);
/** As fit_find, a block that holds an aligned payload. */
static inline struct block *fit_find_aligned(const struct heap *h, size_t asize,
                                             size_t align);
/** Visit all blocks of least bytes, and perhaps smaller ones. A visit changes
 * no list. */
static always_inline void fit_each(struct heap *h, size_t least,
                                   fit_visit_fn *visit, void *arg);
/** Take over all blocks of src, whose fit is not used any more. */
static inline void fit_splice(struct heap *dst, struct heap *src);
/** H5 and H6: add what is broken to *bad. Of a damaged list no more than nfree
 * blocks are met. @return blocks that wait */
static inline size_t fit_check(const struct heap *h, size_t nfree, size_t *bad);

/* ---- links ----------------------------------------------------------- */

static always_inline struct block *link_block(const struct heap *h, uint32_t l)
{
    return (struct block *)(h->base - HEADER_SIZE + (size_t)l * ALIGN);
}

static always_inline uint32_t block_link(const struct heap *h,
                                         const struct block *b)
{
    return (uint32_t)((size_t)((const char *)b + HEADER_SIZE - h->base) /
                      ALIGN);
}

/* ---- regions --------------------------------------------------------- */

static inline struct region *heap_region(const struct heap *h, uint32_t link)
{
    return link ? (struct region *)link_block(h, link) - 1 : NULL;
}

static inline char *region_end(const struct region *r)
{
    return (char *)r + (size_t)r->size * ALIGN;
}

/* Does a region of h hold the whole of [b, b + 16)? */
static inline bool heap_holds(const struct heap *h, const struct block *b)
{
    uint32_t link = h->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        if ((const char *)b > (const char *)r &&
            (const char *)(b + 1) < region_end(r))
            return true;
    }
    return false;
}

/* ---- dirty bytes ----------------------------------------------------- */

/* Bytes that may be resident: at least those that are. */
static always_inline size_t heap_resident(const struct heap *h)
{
    return h->size - h->clean;
}

/* Of the bytes of b, free, those that may be resident. Only a large block keeps
 * count: smaller ones are never purged. */
static always_inline size_t free_dirty(const struct block *b, size_t size)
{
    return size >= DIRTY_MIN ? *(const size_t *)(b + 1) : size;
}

static always_inline void free_set_dirty(struct block *b, size_t size,
                                         size_t dirty)
{
    if (unlikely(size >= DIRTY_MIN))
        *(size_t *)(b + 1) = dirty;
}

/* The other bytes: they need no purge, and cost the system when used again. */
static always_inline size_t free_clean(const struct block *b, size_t size)
{
    return unlikely(size >= DIRTY_MIN) ? size - free_dirty(b, size) : 0;
}

/* What purging b would give back. */
static always_inline size_t block_dirty(const struct block *b, size_t size)
{
    return size >= PURGE_MIN ? free_dirty(b, size) : 0;
}

/* ---- waiting, or the victim ------------------------------------------ */

/* Keep b, which is free and has that size, and count its bytes. */
static always_inline void list_insert(struct heap *h, struct block *b,
                                      size_t size)
{
    fit_insert(h, b, size);
    if (likely(size < DIRTY_MIN))
        return;
    h->dirty += block_dirty(b, size);
    h->clean += free_clean(b, size);
}

/* Take out b, which waits, and its bytes. */
static always_inline void list_remove(struct heap *h, struct block *b,
                                      size_t size)
{
    if (unlikely(size >= DIRTY_MIN)) {
        h->dirty -= block_dirty(b, size);
        h->clean -= free_clean(b, size);
    }
    fit_remove(h, b, size);
}

/* The same of v, the victim, which is cut all the time: nobody knows whether
 * the low end that is used was resident. */
static always_inline size_t victim_dirty(const struct heap *h,
                                         const struct block *v)
{
    return min_size(h->victim_dirty, block_size(v));
}

/* The victim's turn is over. */
static always_inline struct block *victim_drop(struct heap *h)
{
    struct block *v = h->victim;
    h->victim = NULL;
    if (v)
        free_set_dirty(v, block_size(v), victim_dirty(h, v));
    return v;
}

/* The victim goes where all other free blocks are. */
static always_inline void retire_victim(struct heap *h)
{
    struct block *v = victim_drop(h);
    if (v)
        list_insert(h, v, block_size(v));
}

/* Take the free block b out of its list, or from being the victim. */
static always_inline void unlist(struct heap *h, struct block *b)
{
    if (b == h->victim)
        victim_drop(h);
    else
        list_remove(h, b, block_size(b));
}

/* Bytes to skip in b so that the payload is aligned. */
static inline size_t align_lead(const struct block *b, size_t align)
{
    uintptr_t payload = (uintptr_t)block_payload(b);
    return round_up(payload, align) - payload;
}

/* ---- purge ----------------------------------------------------------- */

/* Bytes that heap_purge would give back: of listed blocks, and the victim. */
static inline size_t heap_purgeable(const struct heap *h)
{
    const struct block *v = h->victim;
    size_t size = v ? block_size(v) : 0;
    return h->dirty + (size >= PURGE_MIN ? victim_dirty(h, v) : 0);
}

/* What a purge may take, and has: bytes that counted as dirty, and that the
 * system had given. */
struct purge {
    size_t most, counted, given;
};

/* Give pages of b, listed, back to the system. Where its clean bytes lie nobody
 * knows; a part is given as if they were the last ones. */
static inline void block_purge(struct heap *h, struct block *b, void *arg)
{
    struct purge *p = arg;
    size_t size = block_size(b);
    size_t dirty = size < DIRTY_MIN ? 0 : free_dirty(b, size);
    size_t part = min_size(dirty, p->most - p->counted);
    if (!part)
        return;
    h->dirty -= block_dirty(b, size);
    h->clean += part;
    free_set_dirty(b, size, dirty - part);
    h->dirty += block_dirty(b, size);
    p->counted += part;
    char *first = (char *)(b + 1) + sizeof(size_t); /* keep both ends */
    char *end = (char *)block_footer(b);
    if (part < dirty && size - dirty + part < (size_t)(end - first))
        first = end - (size - dirty + part);
    p->given += mem_give_back(first, (size_t)(end - first));
}

/* The same for all free blocks of least bytes or more, up to `most` in all.
 * @return bytes that are clean now, and were not */
static cold_noinline size_t heap_purge_some(struct heap *h, size_t least,
                                            size_t most)
{
    struct purge p = {.most = most};
    retire_victim(h); /* it may be the largest of all */
    fit_each(h, least, block_purge, &p);
    return p.counted;
}

static inline size_t heap_purge_from(struct heap *h, size_t least)
{
    return heap_purge_some(h, least, NO_LIMIT);
}

static inline size_t heap_purge(struct heap *h)
{
    return heap_purge_from(h, PURGE_MIN);
}

/* Chances that pass after purges in vain, at most: the price of a purge. */
#define PURGE_WAIT 511

#define ALLOWANCE_LEAST                                                        \
    ((size_t)1 << 20) /* bytes: less is no purge's worth                       \
                       */

/* Has time paid for a purge? */
static inline bool heap_may_pay(const struct heap *h)
{
    return h->allowance >= ALLOWANCE_LEAST;
}

/* Purge h, as much as it may. @return less than so much is clean, when most of
 * what this gave is taken again */
static inline size_t heap_purge_for_price(struct heap *h)
{
    size_t given = heap_purge_some(h, PURGE_MIN, h->allowance);
    h->allowance -= h->allowance == NO_LIMIT ? 0 : given;
    return h->clean - given / 2;
}

/** Purge h at one of many chances, if time has paid for it, and if that has
 * paid so far: each page that is taken again costs a fault. If most of what the
 * last such purge gave was taken again until the next is due, that one is left
 * out, and eight times as many chances pass from now on; if not, an eighth. */
static inline void heap_purge_at_chance(struct heap *h)
{
    if (!heap_may_pay(h) || h->passed++ < h->wait)
        return;
    retire_victim(h); /* of which nobody counts what is clean */
    bool vain = h->clean < h->vain;
    h->passed = 0;
    if (vain)
        h->wait = (uint32_t)min_size(8 * h->wait + 7, PURGE_WAIT);
    else if (h->vain)
        h->wait /= 8;
    h->vain = vain ? 0 : heap_purge_for_price(h);
}

#endif
