/* arena.h - one owner's memory: the engine as the stages see it.
 *
 *   request ─► has its class earned it? ── yes ─► slabs (slab.h)  no header
 *                                  └────── no ──► heap  (heap.h)  8 bytes more
 *   address ─► page tag ── class ─► slabs
 *                      └── 0 ─────► heap
 *
 * A slab of a class with few live blocks wastes memory. So a class must earn
 * its first slab by what is live of about its size in the heap; as long as it
 * has one, it may get more. (Making a class earn its own space is the way of
 * Windows' low-fragmentation heap.) Which classes may earn is the stage's
 * choice: stages whose memory is judged by the heap's length let only tight
 * classes earn (arena_earns).
 *
 * Knows no thread: whoever calls owns the arena, by a lock or for good.
 * Sizes are payload bytes as the program asked for them.
 *
 * Invariants (slabs_check)
 *   S6 live[i] == blocks in use of the heap, not slabs, of 16 i bytes
 *   S7 used == bytes of all of these, with their headers */
#ifndef MM_ENGINE_ARENA_H
#define MM_ENGINE_ARENA_H

#include "mm/engine/slab.h"

#define TIGHT_MAX ((size_t)128)
#define TIGHT_BUSY 64 /* live blocks that earn a tight class a slab */
#define TILE_ALIGN 64 /* bytes: a cache line */
#define NLIVE (SLAB_CLASSES + 2) /* sizes that are counted one by one */
#define STAYS 16 /* a block stays in a realloc, this part of it idle */

struct arena {
    struct heap heap;
    struct slabs slabs;
    size_t used;          /* S7 */
    bool all_earn;        /* true: not only tight classes */
    uint32_t live[NLIVE]; /* S6 */
};

/* An empty arena. owner: what its blocks say of it, < 65536 */
static inline void arena_init(struct arena *a, uint32_t owner)
{
    *a = (struct arena){.heap = {.fit.base = mem_range.base,
                                 .owner = owner,
                                 .may_grow = true,
                                 .allowance = NO_LIMIT}};
}

/* ---- slabs, earned ------------------------------------------------------ */

/* Would a header cost this request 16 bytes? Not so for 0 bytes. */
static always_inline bool is_tight(size_t size)
{
    return size - 1 < TIGHT_MAX && (size - 1) % ALIGN >= ALIGN - HEADER_SIZE;
}

/* Do these live bytes earn class c a slab? If they would fill it. Half a slab
 * of each class lies idle then; but a program that gets some of its small
 * blocks with headers and some without takes twice as long: no branch is
 * foreseen. */
static inline bool is_earned(size_t bytes, unsigned c)
{
    return bytes >= slab_classes[c].pages * PAGE;
}

/* Is a request of this size, of class c, served from slabs? */
static always_inline bool arena_earns(const struct arena *a, size_t size,
                                      unsigned c)
{
    if (!a->all_earn)
        return is_tight(size) &&
               (a->slabs.nslabs[c] || a->live[c + 1] >= TIGHT_BUSY);
    return a->slabs.nslabs[c] ||
           is_earned((a->live[c] + a->live[c + 1]) * (c * ALIGN), c);
}

/* A block of the heap, of size bytes, is in use from now on, or no longer. */
static always_inline void arena_count(struct arena *a, size_t size)
{
    a->used += size;
    if (size < NLIVE * ALIGN)
        a->live[size / ALIGN]++;
}

static always_inline void arena_uncount(struct arena *a, size_t size)
{
    a->used -= size;
    if (size < NLIVE * ALIGN)
        a->live[size / ALIGN]--;
}

/* A slab of class c that can serve. NULL: no memory, or the heap may not grow.
 */
static always_inline struct mem_page *arena_slab(struct arena *a, unsigned c)
{
    uint32_t first = a->slabs.first[c];
    return likely(first) ? slab_at(first) : slab_new(&a->heap, &a->slabs, c);
}

/* ---- taking ------------------------------------------------------------- */

/* Label b, of size bytes, which the heap just gave, with its owner.
 * @return its payload */
static always_inline void *arena_own(struct arena *a, struct block *b,
                                     size_t size)
{
    header_set_owner(b, a->heap.owner);
    arena_count(a, size);
    return block_payload(b);
}

/* The same of a block that is handed out: what lay in its second word may be a
 * key, which realloc would copy, perhaps to the very place whose key it is. A
 * mini has no such word. */
static always_inline void *arena_hand_out(struct arena *a, struct block *b,
                                          size_t size)
{
    void *p = arena_own(a, b, size);
    if (likely(size > MIN_BLOCK))
        block_clear_key(p);
    return p;
}

/* A block of a slab of class c. NULL: no memory, or the heap may not grow. */
static always_inline void *arena_take_slab(struct arena *a, unsigned c)
{
    struct mem_page *s = arena_slab(a, c);
    return likely(s != NULL) ? slab_take(&a->heap, &a->slabs, s, c) : NULL;
}

/** @return 16-aligned payload without a key; NULL, errno == ENOMEM.
 * @pre size <= MAX_REQUEST */
static always_inline void *arena_malloc(struct arena *a, size_t size)
{
    struct heap *h = &a->heap;
    if (size - 1 < SLAB_MAX) {
        unsigned c = slab_class(size);
        bool gap =
            !a->slabs.first[c] && fit_exact(&h->fit, request_to_block(size));
        if (arena_earns(a, size, c) && !gap) {
            void *p = arena_take_slab(a, c);
            if (likely(p != NULL) || !h->may_grow)
                return p; /* once it may grow there is a slab */
        }
    }
    size_t asize = request_to_block(size);
    struct block *b = heap_malloc(h, asize);
    return likely(b != NULL) ? arena_hand_out(a, b, asize) : NULL;
}

/** All free blocks of one slab of class c, if there is one that serves.
 * @return their chain, *n blocks, which have their keys; NULL: there is none */
static inline void *arena_take_all(struct arena *a, unsigned c, unsigned *n)
{
    uint32_t first = a->slabs.first[c];
    return first ? slab_take_all(&a->heap, &a->slabs, slab_at(first), c, n)
                 : NULL;
}

/* Bytes of the block with a header for an aligned request. Small ones that are
 * aligned to a line or less are a multiple of the alignment: so those of one
 * size tile, and one that is freed fits the next such request. */
static always_inline size_t request_to_aligned(size_t align, size_t size)
{
    size_t block = request_to_block(size);
    return align <= TILE_ALIGN && block <= SLAB_MAX ? round_up(block, align)
                                                    : block;
}

/* As arena_earns, for an aligned request that a slab's block of that many bytes
 * would serve. Its block in the heap may be much larger: what is live of its
 * like is counted there. */
static inline bool arena_earns_aligned(const struct arena *a, size_t bytes,
                                       size_t block)
{
    unsigned c = slab_class(bytes);
    return arena_earns(a, bytes, c) ||
           (a->all_earn && block <= SLAB_MAX &&
            is_earned(a->live[block / ALIGN] * bytes, c));
}

/** As arena_malloc, aligned to a power of two. */
static inline void *arena_memalign(struct arena *a, size_t align, size_t size)
{
    if (align <= ALIGN)
        return arena_malloc(a, size);
    size_t bytes = round_up(size, align); /* of a slab's block as aligned */
    size_t block = request_to_aligned(align, size);
    if (bytes - 1 < SLAB_MAX && arena_earns_aligned(a, bytes, block)) {
        void *p = arena_take_slab(a, slab_class(bytes));
        if (likely(p != NULL) || !a->heap.may_grow)
            return p;
    }
    struct block *b = heap_memalign(&a->heap, align, block);
    return b ? arena_hand_out(a, b, block) : NULL;
}

/* ---- blocks in use ------------------------------------------------------ */

static cold_noinline _Noreturn void die_free(const void *p)
{
    mm_die("double free, or a pointer that malloc never returned", p);
}

static cold_noinline _Noreturn void die_overwritten(const void *p)
{
    mm_die("the block's header was overwritten, or malloc never returned the "
           "pointer",
           p);
}

/* Dies unless p is the payload of a block in use, as far as that shows. */
static always_inline struct block *used_block(const void *p)
{
    struct block *b = payload_block(p);
    if (unlikely((uintptr_t)p % ALIGN))
        mm_die("pointer into the middle of a block", p);
    uint64_t header = header_read_remote(b);
    if (unlikely(header & BLOCK_FREE || !(header & BLOCK_SIZE)))
        die_free(p);
    return b;
}

/* What p, a block in use, says of its owner. */
static inline uint32_t payload_owner(const void *p)
{
    uint32_t tag = page_tag(p);
    if (tag)
        return tag_owner(tag);
    return header_owner(header_read_remote(used_block(p)));
}

/* As used_block, and dies unless the block after it agrees. Only for the
 * block's owner. */
static always_inline struct block *owned_block(const struct heap *h,
                                               const void *p)
{
    struct block *b = used_block(p);
    if (unlikely(block_size(b) - 1 >= h->size || !prev_used(block_next(b))))
        die_overwritten(p);
    return b;
}

/** Take back p, a block of the arena's in a page with this tag; one of a slab
 * has its key. */
static always_inline void arena_put(struct arena *a, void *p, uint32_t tag)
{
    if (tag) {
        slab_put(&a->heap, &a->slabs, p, tag);
        return;
    }
    struct block *b = owned_block(&a->heap, p);
    arena_uncount(a, block_size(b));
    heap_free(&a->heap, b);
}

/** Free p, which the arena made, in a page with this tag. */
static always_inline void arena_free_tagged(struct arena *a, void *p,
                                            uint32_t tag)
{
    if (tag)
        slab_mark_free(p);
    arena_put(a, p, tag);
}

static always_inline void arena_free(struct arena *a, void *p)
{
    arena_free_tagged(a, p, page_tag(p));
}

/** Bytes that the program may use at p. */
static always_inline size_t arena_usable(const void *p)
{
    uint32_t bytes = tag_bytes(page_tag(p));
    if (bytes)
        return bytes;
    return (header_read_remote(used_block(p)) & BLOCK_SIZE) - HEADER_SIZE;
}

/* b has size bytes and is the caller's own: does the block after it say that
 * it is in use? Where there is no block, nothing says so. */
static always_inline bool next_agrees(const struct block *b, size_t size)
{
    const struct block *next = block_at(b, size);
    return likely(mem_in_range(next)) &&
           likely(header_read_remote(next) & BLOCK_PREV_USED);
}

/* p has a header and `usable` bytes for use. Is it the caller's own, whose tag
 * is given, with room for size bytes and not much more? Then it stays: a block
 * that grows step by step mostly does (heap_resize). */
static always_inline bool block_stays(const void *p, size_t usable, size_t size,
                                      uint32_t tag)
{
    const struct block *b = payload_block(p);
    uint32_t owner = header_owner(header_read_remote(b));
    return size <= usable && usable - size <= usable / STAYS &&
           owner_tag(owner) == tag && next_agrees(b, usable + HEADER_SIZE);
}

/* Dies unless p, in a page of a slab, is a block in use. */
static inline void slab_used_block(const void *p)
{
    if (unlikely(!slab_has_block(p)))
        die_inside(p);
    if (unlikely(block_has_key(p)))
        mm_die("realloc of a small block that is free", p);
}

/** Resize p without a second block. @return the payload, perhaps moved down;
 * NULL: it does not fit, and p is as it was. */
static inline void *arena_resize(struct arena *a, void *p, size_t size)
{
    uint32_t tag = page_tag(p);
    if (tag) {
        slab_used_block(p);
        return size <= arena_usable(p) ? p : NULL;
    }
    struct block *b = owned_block(&a->heap, p);
    size_t before = block_size(b);
    b = heap_resize(&a->heap, b, request_to_block(size));
    if (!b)
        return NULL;
    arena_uncount(a, before);
    size_t now = block_size(b);
    /* It may have moved down; a mini had no second word. */
    return before > MIN_BLOCK ? arena_own(a, b, now)
                              : arena_hand_out(a, b, now);
}

/** Show every block in use of a, those of slabs as the slabs that they lie in.
 * @pre the heap's walk is sound */
static always_inline void
arena_each_used(const struct arena *a,
                void (*visit)(struct block *b, void *arg), void *arg)
{
    const struct heap *h = &a->heap;
    uint32_t link = h->regions;
    for (struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        struct block *b = (struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b))
            if (block_used(b))
                visit(b, arg);
    }
}

#endif
