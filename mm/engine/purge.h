/* purge.h - how free memory goes back to the system.
 *
 *   | header | links | dirty |  pages: purged         | footer | next header
 *   a free block of PURGE_MIN and more: both ends stay, and it serves as before
 *
 *   | ... used | free                          | end |  where addresses are
 *                     ^ whole pages: unmapped           scarce, the end of a
 *                                                       region goes, too
 *
 * A page that is taken again costs a fault. So a heap at work purges itself
 * only when time has paid for it (its allowance), and learns from how much is
 * clean the next time whether the last purge paid: if most of what that gave
 * back was taken again, it was in vain, and the heap waits longer. */
#ifndef MM_ENGINE_PURGE_H
#define MM_ENGINE_PURGE_H

#include "mm/engine/region.h"
#include "mm/pace.h"

#define PURGE_WAIT 511 /* chances to let pass after purges in vain, at most */
#define GROWTH_STEP ((size_t)1 << 20) /* least that growth gives back, ... */
#define GROWTH_PART 64                /* ... and at least this part of a heap */
#define GROWTH_WASTE 4 /* a heap that only lies otherwise grows by a 4th */
#define PURGE_SLACK ((size_t)64 << 20)    /* dirty bytes that may always stay */
#define PATIENCE_MOST 8                   /* doublings of that */
#define ALLOWANCE_LEAST ((size_t)1 << 20) /* bytes that are worth a purge, */
#define RELEASE_MIN ((size_t)1 << 20)     /* ... and a hole (memhole.h) */

/* ---- pages of free blocks -------------------------------------------- */

/* Bytes that heap_purge would give back: of listed blocks, and the victim. */
static inline size_t heap_purgeable(const struct heap *h)
{
    const struct block *v = h->fit.victim;
    size_t size = v ? block_size(v) : 0;
    return h->dirty + (size >= PURGE_MIN ? victim_dirty(h, v) : 0);
}

/* A purge of h: the dirty bytes that it may take, and has taken; and the bytes
 * that were resident, as far as the system says. */
struct purge {
    struct heap *h;
    size_t most, counted, given;
};

/* Purge b, which is listed. Where its clean bytes lie is not known: if only a
 * part of it may go back, they are taken to be the last ones. */
static inline void block_purge(struct block *b, void *arg)
{
    struct purge *p = arg;
    struct heap *h = p->h;
    size_t size = block_size(b);
    size_t dirty = size < DIRTY_MIN ? 0 : free_dirty(b, size);
    size_t part = min_size(dirty, p->most - p->counted);
    if (!part)
        return;
    h->dirty -= block_dirty(b, size);
    h->clean += part;
    h->given += part;
    free_set_dirty(b, size, dirty - part);
    h->dirty += block_dirty(b, size);
    p->counted += part;
    char *first = (char *)(b + 1) + sizeof(size_t); /* keep both ends */
    char *end = (char *)block_footer(b);
    if (part < dirty && size - dirty + part < (size_t)(end - first))
        first = end - (size - dirty + part);
    p->given += mem_give_back(first, (size_t)(end - first));
}

/* Purge free blocks of `least` bytes and more, up to `most` bytes in all.
 * @return bytes that are clean now, and were dirty */
static cold_noinline size_t heap_purge_some(struct heap *h, size_t least,
                                            size_t most)
{
    struct purge p = {.h = h, .most = most};
    retire_victim(h); /* it may be the largest of all */
    fit_each(&h->fit, least, block_purge, &p);
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

/* Bytes of h that are in use, or in free blocks that no purge takes. */
static inline size_t heap_in_use(const struct heap *h)
{
    return heap_resident(h) - h->dirty;
}

/* h is about to grow for asize bytes, and has free ones that do not fit. As
 * many of these go back as more are in use than when growth last purged it:
 * each that is taken again was paid for by one that was not needed then. If no
 * more are in use, they have only come to lie otherwise, and will be needed
 * again; but the heap grows by no more than a quarter that way. */
static cold_noinline void heap_purge_to_grow(struct heap *h, size_t asize)
{
    /* Marks above the heap's size are those of a growth that failed. */
    size_t used = heap_in_use(h) + asize;
    size_t used_mark = min_size(h->used_mark, h->size);
    size_t size_mark = min_size(h->size_mark, h->size);
    size_t most = used - min_size(used_mark, used);
    if (h->size - size_mark > size_mark / GROWTH_WASTE)
        most = max_size(most, h->size - size_mark);
    if (most < max_size(GROWTH_STEP, h->size / GROWTH_PART))
        return;
    heap_purge_some(h, PURGE_MIN, most);
    h->used_mark = max_size(used_mark, used);
    h->size_mark = h->size + asize;
}

/* ---- ends of regions ------------------------------------------------- */

/* Unmap whole pages, in which nothing is used or listed. @return false: they
 * are as they were */
static inline bool pages_release(char *p, size_t size)
{
    pages_set_gone(p, size, true);
    bool gone = mem_release(p, size);
    if (!gone)
        pages_set_gone(p, size, false);
    return gone;
}

/* Let r end at `to`, in its last block, b, which is free and in no list. */
static inline void region_shorten(struct heap *h, struct region *r, char *to,
                                  struct block *b)
{
    size_t bytes = (size_t)(region_end(r) - to);
    size_t size = block_size(b) - bytes;
    h->size -= bytes;
    r->size -= (uint32_t)(bytes / ALIGN);
    region_seal(to, 0);
    block_set_free(b, size);
    free_set_dirty(b, size, size);
    list_insert(h, b, size);
}

/* The address from which r, whose last block is b, may go back: the beginning
 * of r, if all of it is free, it begins with a page, and is not the only
 * region; else the first page that leaves room for the beginning of b. */
static inline char *region_spare(const struct heap *h, const struct region *r,
                                 const struct block *b)
{
    uintptr_t start = (uintptr_t)r, page = mem_pagesize();
    bool only = r == heap_region(h, h->regions) && !r->next;
    if ((const void *)b == r + 1 && !only && start % page == 0)
        return (char *)start;
    uintptr_t least = (uintptr_t)b + 2 * MIN_BLOCK + HEADER_SIZE;
    return (char *)round_up(least, page);
}

/* Give back what is free at the end of the region that *link leads to.
 * @return bytes */
static inline size_t region_release(struct heap *h, uint32_t *link)
{
    struct region *r = heap_region(h, *link);
    struct block *end = (struct block *)(region_end(r) - HEADER_SIZE);
    if (prev_used(end) || end->header & BLOCK_PREV_MINI)
        return 0;
    struct block *b = block_prev(end);
    uint32_t next = r->next;
    char *to = region_spare(h, r, b), *most = region_end(r);
    if (to + RELEASE_MIN > most)
        return 0;
    size_t bytes = (size_t)(most - to);
    unlist(h, b);
    if (!pages_release(to, round_down((uintptr_t)most, mem_pagesize()) -
                               (uintptr_t)to)) {
        list_insert(h, b, block_size(b));
        return 0;
    }
    if (to != (char *)r) {
        region_shorten(h, r, to, b);
        return bytes;
    }
    h->size -= bytes;
    *link = next;
    return bytes;
}

/* Where addresses are scarce, give back what is free at the ends of regions.
 * @return bytes */
static cold_noinline size_t heap_release(struct heap *h)
{
    size_t given = 0;
    uint32_t *link = &h->regions;
    while (is_scarce() && *link) {
        uint32_t was = *link;
        given += region_release(h, link);
        if (*link == was)
            link = &heap_region(h, was)->next;
    }
    if (given) /* what is unmapped will not be taken again */
        h->given = min_size(h->given, h->clean);
    return given;
}

/* ---- purges that time pays for --------------------------------------- */

#define TAKEN_LEAST ((size_t)64 << 10) /* bytes: fewer wait to be counted */

/** What went back and was taken again since this was last asked counts. */
static inline void heap_note_taken(struct heap *h)
{
    const struct block *v = h->fit.victim;
    size_t clean = h->clean + (v ? block_size(v) - victim_dirty(h, v) : 0);
    if (h->given < clean + TAKEN_LEAST)
        return;
    pace_taken(h->given - clean);
    h->given = clean;
}

/* Has time paid for a purge? */
static inline bool heap_may_pay(const struct heap *h)
{
    return h->allowance >= ALLOWANCE_LEAST;
}

/* Purge h, as much as its allowance says. @return fewer bytes than this will be
 * clean when most of what was given back has been taken again */
static inline size_t heap_purge_for_price(struct heap *h)
{
    size_t given = heap_purge_some(h, PURGE_MIN, h->allowance);
    h->allowance -= h->allowance == NO_LIMIT ? 0 : given;
    return h->clean - given / 2;
}

/** One of many chances to purge h. It is used if time has paid for it, and
 * unless it is one of those to let pass. If the last purge proves to have been
 * in vain, this one is left out, and eight times as many chances pass from now
 * on; if not, an eighth. */
static inline void heap_purge_at_chance(struct heap *h)
{
    if (!heap_may_pay(h) || h->passed++ < h->wait)
        return;
    retire_victim(h); /* so that its clean bytes count */
    bool vain = h->clean < h->vain;
    h->passed = 0;
    if (vain)
        h->wait = (uint32_t)min_size(8 * h->wait + 7, PURGE_WAIT);
    else if (h->vain)
        h->wait /= 8;
    h->vain = vain ? 0 : heap_purge_for_price(h);
}

/* Is too much of h dirty and free? The victim counts: it may be most of it. */
static always_inline bool heap_overflows(const struct heap *h)
{
    size_t waste = heap_purgeable(h);
    return unlikely(waste > PURGE_SLACK << h->patience) && waste > h->size / 2;
}

/* h overflows: purge it. If the last purge for that reason was in vain, twice
 * as much may be dirty from now on; if not, half as much. */
static cold_noinline void heap_give(struct heap *h)
{
    if (!heap_may_pay(h) && !is_scarce())
        return;
    retire_victim(h); /* so that its clean bytes count */
    if (h->clean < h->vain_overflow)
        h->patience += h->patience < PATIENCE_MOST;
    else if (h->vain_overflow && h->patience)
        h->patience--;
    h->vain_overflow = h->vain = 0;
    if (!heap_overflows(h))
        return;
    heap_release(h);
    h->vain_overflow = heap_purge_for_price(h);
}

#endif
