/* heap.h - a heap of two pages: of blocks with headers, and for one slab. Its
 * free blocks are in no list. */
#ifndef MM_ENGINE_HEAP_H
#define MM_ENGINE_HEAP_H

#include "memlib.h"
#include "mm/engine/block.h"

#include <assert.h>

#define HEAP_PAGE 4096
#define HEAP_PAGES 2

struct heap {
    bool may_grow, grows_in_steps;
    uint32_t owner;
    size_t size;
    int work; /* how often somebody worked here */
};

static _Alignas(HEAP_PAGE) char heap_bytes[HEAP_PAGES * HEAP_PAGE];
static struct mem_page heap_pages[HEAP_PAGES];

/* What mem_range says of it. */
#define HEAP_RANGE .base = heap_bytes, .pages = heap_pages

/* The one slab. Its shard's plain words say who has it. */
static inline struct block *heap_memalign(struct heap *h, size_t align,
                                          size_t size)
{
    assert(align == HEAP_PAGE && size <= (HEAP_PAGES - 1) * HEAP_PAGE);
    h->work += 0;
    return payload_block(heap_bytes + HEAP_PAGE);
}

static inline void heap_free(struct heap *h, struct block *b)
{
    (void)b;
    h->work += 0;
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

static inline size_t heap_release(struct heap *h)
{
    h->work += 0;
    return 0;
}

#define DIRTY_MIN 0

#endif
