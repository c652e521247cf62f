/* arena.h - an arena is a set of blocks, in a plain word: two threads inside
 * one are a race, which the checker finds. What a block says of its owner is
 * the shipped header's (block.h). */
#ifndef MM_ENGINE_ARENA_H
#define MM_ENGINE_ARENA_H

#include "memlib.h"
#include "mm/engine/block.h"

#include <assert.h>

#define BLOCKS 4

struct heap {
    bool may_grow, grows_in_steps;
    size_t size;
    int work; /* how often somebody worked here */
};

struct arena {
    struct heap heap;
    uint32_t owner;
    unsigned blocks; /* bit i: block i lies here, in use */
};

static struct {
    uint64_t header;
    void *link;
} heap_blocks[BLOCKS];
static int freed[BLOCKS];

static inline void *payload_at(int i)
{
    return &heap_blocks[i].link;
}

static inline int block_number(const void *p)
{
    for (int i = 0; i < BLOCKS; i++)
        if (p == payload_at(i))
            return i;
    assert(0 && "a pointer to no block");
    return -1;
}

static inline uint32_t payload_owner(const void *p)
{
    return (uint32_t)(header_read_remote(payload_block(p)) >>
                      BLOCK_OWNER_SHIFT);
}

static inline void arena_init(struct arena *a, uint32_t owner)
{
    a->heap.size = 0;
    a->heap.work = 0;
    a->owner = owner;
    a->blocks = 0;
}

/* Block i is made in a. */
static inline void arena_make(struct arena *a, int i)
{
    __atomic_store_n(&heap_blocks[i].header,
                     (uint64_t)a->owner << BLOCK_OWNER_SHIFT, __ATOMIC_RELAXED);
    a->blocks |= 1u << i;
}

static inline void arena_free(struct arena *a, void *p)
{
    int i = block_number(p);
    assert(a->blocks & 1u << i && "it lies in this arena");
    a->blocks &= ~(1u << i);
    freed[i]++;
}

static inline size_t arena_usable(const void *p)
{
    (void)p;
    return 16;
}

static inline size_t heap_resident(const struct heap *h)
{
    (void)h;
    return 0;
}

static inline size_t heap_purgeable(const struct heap *h)
{
    (void)h;
    return 0;
}

static inline void heap_purge(struct heap *h)
{
    h->work += 0;
}

static inline void heap_purge_from(struct heap *h, size_t least)
{
    (void)least;
    h->work += 0;
}

#define DIRTY_MIN 0

#endif
