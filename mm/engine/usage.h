/* usage.h - counts an arena, and trims it: for mallinfo and malloc_trim.
 *
 * The caller owns the arena, as for arena.h. Both walk lists of free blocks:
 * nothing is counted while the program allocates. */
#ifndef MM_USAGE_H
#define MM_USAGE_H

#include "mm/engine/arena.h"

static inline void block_count(struct heap *h, struct block *b, void *bytes)
{
    (void)h;
    *(size_t *)bytes += block_size(b);
}

/* Bytes of free blocks: all that wait, and the victim. */
static inline size_t heap_free_bytes(struct heap *h)
{
    size_t bytes = h->victim ? block_size(h->victim) : 0;
    fit_each(h, MIN_BLOCK, block_count, &bytes);
    return bytes;
}

/* Bytes of slabs of class c that are not blocks in use. */
static inline size_t slabs_free_bytes(const struct slabs *slabs, unsigned c)
{
    size_t slab = slab_classes[c].pages * PAGE, out = 0, nlisted = 0;
    for (uint32_t i = slabs->first[c]; i; i = slab_at(i)->next) {
        out += slab_at(i)->room;
        nlisted++;
    }
    out += (slabs->nslabs[c] - nlisted) * slab_classes[c].slots;
    return slabs->nslabs[c] * slab - out * c * ALIGN;
}

/** Bytes of the arena's blocks in use, with headers. */
static cold_noinline size_t arena_used(struct arena *a)
{
    size_t bytes = a->heap.size - heap_free_bytes(&a->heap);
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        bytes -= slabs_free_bytes(&a->slabs, c);
    return bytes;
}

/* Give back whole pages of b, listed, even if it is so small that it keeps no
 * count of them. */
static inline void block_trim_pages(struct heap *h, struct block *b, void *arg)
{
    struct purge *p = arg;
    if (block_size(b) >= DIRTY_MIN) {
        block_purge(h, b, p);
        return;
    }
    char *first = (char *)(b + 1);
    p->given += mem_give_back(first, (size_t)((char *)block_footer(b) - first));
}

/* Give back every page on which h has nothing in use. @return bytes */
static cold_noinline size_t heap_trim(struct heap *h)
{
    struct purge p = {.most = NO_LIMIT};
    retire_victim(h);
    fit_each(h, mem_pagesize(), block_trim_pages, &p);
    return p.given;
}

/** Give back what is worth a system call: of an arena that nobody uses now. */
static inline void arena_purge(struct arena *a)
{
    slabs_trim(&a->heap, &a->slabs);
    heap_release(&a->heap);
    heap_purge_from(&a->heap, DIRTY_MIN);
}

/** Give back every page on which a has nothing in use. @return bytes */
static inline size_t arena_trim(struct arena *a)
{
    slabs_trim(&a->heap, &a->slabs);
    size_t given = heap_release(&a->heap);
    return given + heap_trim(&a->heap);
}

#endif
