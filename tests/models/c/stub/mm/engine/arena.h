/* arena.h - an arena is a set of blocks, in a plain word: two threads inside
 * one are a race, which the checker finds. What a block says of its owner is
 * the shipped code's (block.h, pagemap.h, slab.h and what they say of it). */
#ifndef MM_ENGINE_ARENA_H
#define MM_ENGINE_ARENA_H

#include "mm/engine/slab.h"

#include "extracted_arena.h" /* payload_owner, arena_usable */

#define BLOCKS 4
#define BLOCK_BYTES (2 * ALIGN)

struct arena {
    struct heap heap;
    struct slabs slabs;
    bool all_earn;
    unsigned blocks; /* bit i: block i lies here, in use */
};

static int freed[BLOCKS];

/* SLAB: block 0 is the first of a slab; all others have headers. */
static inline bool in_slab(int i)
{
#ifdef SLAB
    return i == 0;
#else
    (void)i;
    return false;
#endif
}

static inline void *payload_at(int i)
{
    return heap_bytes + (in_slab(i) ? HEAP_PAGE : (i + 1) * BLOCK_BYTES);
}

static inline int block_number(const void *p)
{
    for (int i = 0; i < BLOCKS; i++)
        if (p == payload_at(i))
            return i;
    assert(0 && "a pointer to no block");
    return -1;
}

static inline void arena_init(struct arena *a, uint32_t owner)
{
    a->heap.size = 0;
    a->heap.work = 0;
    a->heap.owner = owner;
    a->blocks = 0;
}

/* Block i is made in a; one of a slab is the first of a's first one. */
static inline void arena_make(struct arena *a, int i)
{
    a->blocks |= 1u << i;
    if (in_slab(i)) {
        struct mem_page *s = slab_new(&a->heap, &a->slabs, SLAB_CLASSES);
        void *p = slab_take(&a->heap, &a->slabs, s, SLAB_CLASSES);
        assert(p == payload_at(i));
    } else {
        __atomic_store_n(&payload_block(payload_at(i))->header,
                         BLOCK_BYTES | (uint64_t)a->heap.owner
                                           << BLOCK_OWNER_SHIFT,
                         __ATOMIC_RELAXED);
    }
}

/* p, which is in use, is going to be free: what the thread does that frees
 * it, wherever it lies. */
static inline void block_begin_free(void *p)
{
    if (page_tag(p))
        slab_mark_free(p);
    else
        block_set_key(p);
}

static inline void arena_put(struct arena *a, void *p, uint32_t tag)
{
    int i = block_number(p);
    assert(a->blocks & 1u << i && "it lies in this arena");
    a->blocks &= ~(1u << i);
    freed[i]++;
    assert(block_has_key(p));
    if (tag)
        slab_put(&a->heap, &a->slabs, p, tag);
}

#endif
