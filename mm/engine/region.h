/* region.h - what a heap is: regions of memory, the free blocks in them, and
 * how many of its bytes may be resident.
 *
 *   heap    regions ─► highest ─► next ─► ... ─► 0       by falling address
 *           fit: free blocks, the victim          dirty, clean: their bytes
 *
 *   region  | next 4, size/16 4 | block | block | ... | block | end header 8 |
 *           ^ 16-aligned        ^ 8 mod 16                                    ^
 *
 * A heap that grows alone has one region, because memlib's break is then always
 * at its end. All regions of a heap lie in one zone (memlib.h), from whose
 * begin links count. When the break has left that zone, the heap is full, and
 * its owner goes on with another.
 *
 * The bytes of a free block are dirty, if they may be resident, or clean: they
 * need no purge, and cost the system when they are used again. A block of
 * DIRTY_MIN and more keeps count of its dirty bytes, behind its links; all
 * bytes of a smaller one are dirty.
 *
 * Invariants (check.h counts and names what is broken)
 *   H7 dirty == dirty bytes of the listed blocks of PURGE_MIN and more;
 *      clean == clean bytes of all listed blocks;
 *      no block has more dirty bytes than bytes
 *   H8 all regions lie in the zone that begins at fit.base */
#ifndef MM_ENGINE_REGION_H
#define MM_ENGINE_REGION_H

#include "config.h"
#include "memlib.h"
#include "mm/engine/pagemap.h"
#include MM_FIT

/* Bytes: smaller free blocks keep their pages while their heap is at work; when
 * it is idle, only those smaller than DIRTY_MIN do. */
#define PURGE_MIN ((size_t)128 << 10)
#define DIRTY_MIN ((size_t)16 << 10)

struct heap {
    struct fit fit; /* its free blocks */
    uint32_t owner; /* the owner's id, as headers and tags say it */
    bool may_grow;
    bool grows_in_steps; /* by heap_step at least */
    uint32_t regions;    /* link to the highest region's first block */
    size_t victim_dirty; /* dirty bytes of the victim; more than it has: all */
    size_t size;         /* bytes of all regions */
    size_t dirty, clean; /* H7 */
    /* Purges that time pays for (purge.h). If fewer bytes than this are clean,
     * the last one was in vain, at a chance or an overflow; 0: judged. */
    size_t vain, vain_overflow;
    uint32_t wait, passed; /* chances to let pass, and passed so far */
    uint32_t patience;     /* how often PURGE_SLACK is doubled */
    size_t allowance;      /* bytes that may go back now; NO_LIMIT */
    size_t given; /* bytes that went back, less those known as taken again */
    size_t used_mark; /* bytes in use when growth last purged it, ... */
    size_t size_mark; /* ... and its size after that */
};

#define NO_LIMIT SIZE_MAX /* of an allowance: no time is counted */

struct region {
    uint32_t next; /* link to a lower region's first block; 0: none */
    uint32_t size; /* bytes / 16, this header and the end header included */
};

_Static_assert(sizeof(struct region) == HEADER_SIZE, "blocks start 8 mod 16");
_Static_assert(MEM_ZONE <= ALIGN << 32, "links and region sizes are 32-bit; "
                                        "memlib leaves the last page out");

/* The region whose first block link leads to; NULL: 0 does. */
static inline struct region *heap_region(const struct heap *h, uint32_t link)
{
    return link ? (struct region *)link_block(h->fit.base, link) - 1 : NULL;
}

static inline char *region_end(const struct region *r)
{
    return (char *)r + (size_t)r->size * ALIGN;
}

/* Does b begin in a region of h, with 16 bytes of it? */
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

/* Bytes that may be resident: at least those that are, but for what a huge page
 * brings in besides what is touched. */
static always_inline size_t heap_resident(const struct heap *h)
{
    return h->size - h->clean;
}

/* The dirty bytes of b, a free block of this size. */
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

static always_inline size_t free_clean(const struct block *b, size_t size)
{
    return unlikely(size >= DIRTY_MIN) ? size - free_dirty(b, size) : 0;
}

/* What purging b would give back. */
static always_inline size_t block_dirty(const struct block *b, size_t size)
{
    return size >= PURGE_MIN ? free_dirty(b, size) : 0;
}

/* What a large block says in its first word when it is taken, if most of what
 * it was taken from was clean, or new: then it costs a calloc less to give its
 * pages back than to write to them. A hint: where it is wrong, pages are given
 * back, or touched, in vain. */
#define MOSTLY_CLEAN ((uint64_t)0x9e1d7c3a5b28f046) /* any random word */

/* b is about to be taken from a free block, in no list, `dirty` of whose `size`
 * bytes are dirty. @pre b will have PURGE_MIN bytes */
static always_inline void block_hint_clean(struct block *b, size_t size,
                                           size_t dirty)
{
    *(uint64_t *)block_payload(b) = dirty < size / 2 ? MOSTLY_CLEAN : 0;
}

static inline bool payload_hints_clean(const void *p)
{
    return *(const uint64_t *)p == MOSTLY_CLEAN;
}

/* ---- waiting, or the victim ------------------------------------------ */

/* Put b, a free block of this size, into its list, and count its bytes. */
static always_inline void list_insert(struct heap *h, struct block *b,
                                      size_t size)
{
    fit_insert(&h->fit, b, size);
    if (likely(size < DIRTY_MIN))
        return;
    h->dirty += block_dirty(b, size);
    h->clean += free_clean(b, size);
}

/* Take b, which waits, out of its list, and its bytes out of the counts. */
static always_inline void list_remove(struct heap *h, struct block *b,
                                      size_t size)
{
    if (unlikely(size >= DIRTY_MIN)) {
        h->dirty -= block_dirty(b, size);
        h->clean -= free_clean(b, size);
    }
    fit_remove(&h->fit, b, size);
}

/* The dirty bytes of the victim, v. It is cut all the time, and whether the
 * bytes that are cut off were resident is not known: so the count stays as it
 * was until it exceeds the block's size. */
static always_inline size_t victim_dirty(const struct heap *h,
                                         const struct block *v)
{
    return min_size(h->victim_dirty, block_size(v));
}

/* There is no victim any more. @return what was the victim; NULL: none was */
static always_inline struct block *victim_drop(struct heap *h)
{
    struct block *v = h->fit.victim;
    h->fit.victim = NULL;
    if (v)
        free_set_dirty(v, block_size(v), victim_dirty(h, v));
    return v;
}

/* The victim goes into a list, where all other free blocks are. */
static always_inline void retire_victim(struct heap *h)
{
    struct block *v = victim_drop(h);
    if (v)
        list_insert(h, v, block_size(v));
}

/* Take the free block b out of its list; or it is the victim no more. */
static always_inline void unlist(struct heap *h, struct block *b)
{
    if (b == h->fit.victim)
        victim_drop(h);
    else
        list_remove(h, b, block_size(b));
}

/* ---- memory ---------------------------------------------------------- */

/* Write the header of size 0 that ends a region; prev bits as given. */
static inline struct block *region_seal(char *end, uint64_t prev_bits)
{
    struct block *b = (struct block *)(end - HEADER_SIZE);
    b->header = prev_bits;
    return b;
}

/* Are addresses scarce? Then regions are whole pages, and what is free at the
 * end of one goes back, addresses and all (purge.h). */
static inline bool is_scarce(void)
{
    return unlikely(
        atomic_load_explicit(&mem_range.scarce, memory_order_relaxed));
}

/* The length of a region, or of its extension, that begins at this address and
 * must have this many bytes. */
static inline size_t region_round(uintptr_t at, size_t bytes)
{
    return is_scarce() ? round_up(at + bytes, mem_pagesize()) - at : bytes;
}

/* Take pages that had gone back (mem_reuse). */
static inline char *pages_reuse(const void *end, size_t *size)
{
    char *p = mem_reuse(end, size);
    if (p)
        pages_set_gone(p, *size, false);
    return p;
}

/* The highest region's last bytes: its free block, or else its end header. */
static inline struct block *heap_top(const struct heap *h)
{
    const struct region *r = heap_region(h, h->regions);
    struct block *end = (struct block *)(region_end(r) - HEADER_SIZE);
    return prev_used(end) ? end : block_prev(end);
}

/* Lengthen the highest region by size bytes, unless another's memory begins at
 * its end. @return its last block: free, merged, listed; or NULL */
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
    size_t dirty = 0; /* what is new is clean */
    if (!block_is_end(top)) {
        unlist(h, top);
        dirty = free_dirty(top, block_size(top));
        size += block_size(top);
    }
    block_set_free(top, size);
    free_set_dirty(top, size, dirty);
    list_insert(h, top, size);
    return top;
}

/* Put r, which is new, into the chain, mostly as the first. */
static inline void region_chain(struct heap *h, struct region *r)
{
    uint32_t link = block_link(h->fit.base, (struct block *)(r + 1));
    uint32_t *at = &h->regions;
    while (*at > link)
        at = &heap_region(h, *at)->next;
    r->next = *at;
    *at = link;
}

/* Has h left the zone in which it might still grow? Another heap may. */
static inline bool heap_is_full(const struct heap *h)
{
    return h->regions && !mem_zone_grows(h->fit.base);
}

/* Memory for a region of *bytes, or somewhat more, in the zone of the others.
 * NULL: none */
static inline struct region *region_memory(struct heap *h, size_t *bytes)
{
    void *r = NULL;
    if (!h->regions || h->fit.base == mem_range.base)
        r = pages_reuse(NULL, bytes);
    if (!r)
        r = mem_sbrk_in(h->regions ? h->fit.base : NULL, *bytes);
    if (r && !h->regions)
        h->fit.base = mem_zone(r);
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
    free_set_dirty(b, size, 0);
    list_insert(h, b, size);
    return b;
}

#endif
