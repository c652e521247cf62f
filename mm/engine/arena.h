/* arena.h - one owner's memory: the engine as the stages see it.
 *
 *   request ─► tight and busy? ── yes ─► slabs (slab.h)    no header
 *                      └───────── no ──► heap  (seglist.h) 8-byte header
 *   address ─► page tag ── class ─► slabs
 *                      └── 0 ─────► heap
 *
 * Knows no thread: whoever calls owns the arena, by a lock or for good.
 * Sizes are payload bytes as the program asked for them. */
#ifndef MM_ARENA_H
#define MM_ARENA_H

#include "mm/engine/slab.h"

struct arena {
    struct heap heap;
    struct slabs slabs;
};

/* An empty arena. owner: what its blocks shall say of it, < 65536 */
static inline void arena_init(struct arena *a, uint32_t owner)
{
    *a = (struct arena){
        .heap = {.base = mem_range.base, .owner = owner, .may_grow = true}};
}

/** @return 16-aligned payload; NULL, errno == ENOMEM.
 * @pre size <= MAX_REQUEST */
static always_inline void *arena_malloc(struct arena *a, size_t size)
{
    struct heap *h = &a->heap;
    bool tight = is_tight(size);
    if (tight) {
        unsigned c = slab_class(size);
        uint32_t partial = a->slabs.partial[c];
        if (partial || a->slabs.live[c] >= SLAB_BUSY) {
            struct slab *r =
                partial ? link_slab(h, partial) : slab_new(h, &a->slabs, c);
            if (likely(r != NULL)) {
                a->slabs.live[c]++;
                return slab_take(h, &a->slabs, r);
            }
            if (!h->may_grow)
                return NULL; /* once it may grow there is a slab */
        }
    }
    struct block *b = heap_malloc(h, request_to_block(size));
    if (unlikely(!b))
        return NULL;
    uint64_t owner = (uint64_t)h->owner << BLOCK_OWNER_SHIFT;
    if (tight) {
        b->header |= owner;
        a->slabs.live[slab_class(size)]++;
    } else {
        b->header |= owner | BLOCK_ROOMY;
    }
    return block_payload(b);
}

/* A tight block of the heap is no longer one: it is freed, or resized. */
static always_inline void arena_forget_tight(struct arena *a, struct block *b)
{
    if (!(b->header & BLOCK_ROOMY)) {
        a->slabs.live[block_size(b) / ALIGN - 1]--;
        b->header |= BLOCK_ROOMY;
    }
}

/* b, in use and not tight, belongs to a. */
static inline void arena_own(const struct arena *a, struct block *b)
{
    b->header |= BLOCK_ROOMY;
    header_set_owner(b, a->heap.owner);
}

/* Dies unless p is the payload of a block in use, as far as that shows. */
static always_inline struct block *used_block(const void *p)
{
    struct block *b = payload_block(p);
    if (unlikely((uintptr_t)p % ALIGN))
        mm_die("pointer into the middle of a block", p);
    uint64_t header = header_read_remote(b);
    if (unlikely(header & BLOCK_FREE || !(header & BLOCK_SIZE)))
        mm_die("double free, or a pointer that malloc never returned", p);
    return b;
}

/* What p, a block in use, says of its owner. */
static inline uint32_t payload_owner(const void *p)
{
    uint32_t tag = page_tag(p);
    if (tag)
        return tag >> TAG_OWNER_SHIFT;
    return (uint32_t)(header_read_remote(used_block(p)) >> BLOCK_OWNER_SHIFT);
}

/* As used_block, and what follows it agrees. Only the block's owner may look.
 */
static always_inline struct block *owned_block(const struct heap *h,
                                               const void *p)
{
    struct block *b = used_block(p);
    if (unlikely(block_size(b) - 1 >= h->size || !prev_used(block_next(b))))
        mm_die("the block's header was overwritten, or malloc never returned "
               "the pointer",
               p);
    return b;
}

/** Free p, which the arena made, in a page with this tag. */
static always_inline void arena_free_tagged(struct arena *a, void *p,
                                            uint32_t tag)
{
    if (tag) {
        slab_free(&a->heap, &a->slabs, p);
        return;
    }
    struct block *b = owned_block(&a->heap, p);
    arena_forget_tight(a, b);
    heap_free(&a->heap, b);
}

static always_inline void arena_free(struct arena *a, void *p)
{
    arena_free_tagged(a, p, page_tag(p));
}

/** Bytes that the program may use at p. */
static always_inline size_t arena_usable(const void *p)
{
    uint32_t class = page_tag(p) & TAG_CLASS;
    if (class)
        return class * ALIGN;
    return (header_read_remote(used_block(p)) & BLOCK_SIZE) - HEADER_SIZE;
}

/** Resize p without a second block. @return the payload, perhaps moved down;
 * NULL: it does not go, and p is as it was. */
static inline void *arena_resize(struct arena *a, void *p, size_t size)
{
    if (page_tag(p)) {
        slab_used_slot(payload_slab(p), p,
                       "realloc of a small block that is free");
        return size <= arena_usable(p) ? p : NULL;
    }
    struct block *b = owned_block(&a->heap, p);
    arena_forget_tight(a, b);
    b = heap_resize(&a->heap, b, request_to_block(size));
    if (!b)
        return NULL;
    arena_own(a, b); /* it may have moved down */
    return block_payload(b);
}

/** As arena_malloc, aligned to a power of two. */
static inline void *arena_memalign(struct arena *a, size_t align, size_t size)
{
    if (align <= ALIGN)
        return arena_malloc(a, size);
    struct block *b = heap_memalign(&a->heap, align, request_to_block(size));
    if (!b)
        return NULL;
    arena_own(a, b);
    return block_payload(b);
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
