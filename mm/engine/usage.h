/* usage.h - counts an arena, and trims it: for mallinfo and malloc_trim.
 *
 * The caller owns the arena, as for arena.h. */
#ifndef MM_ENGINE_USAGE_H
#define MM_ENGINE_USAGE_H

#include "mm/engine/census.h"

/** Bytes of the arena's blocks in use, with headers. */
static cold_noinline size_t arena_used(struct arena *a)
{
    struct mm_census_arena counted;
    arena_census(a, &counted, NULL);
    return counted.live;
}

/* Give back whole pages of b, listed, even if it is so small that it keeps no
 * count of them. */
static inline void block_trim_pages(struct block *b, void *arg)
{
    struct purge *p = arg;
    if (block_size(b) >= DIRTY_MIN) {
        block_purge(b, p);
        return;
    }
    char *first = (char *)(b + 1);
    p->given += mem_give_back(first, (size_t)((char *)block_footer(b) - first));
}

/* Give back every page on which h has nothing in use. @return bytes */
static cold_noinline size_t heap_trim(struct heap *h)
{
    struct purge p = {.h = h, .most = NO_LIMIT};
    retire_victim(h);
    fit_each(&h->fit, mem_pagesize(), block_trim_pages, &p);
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
