/* fit_list.h - a policy: one list of all free blocks, in order of address.
 *
 *   first ─► block ⇄ block ⇄ block ⇄ block ─► 0      lowest address first
 *                      ▲ finger: where the list was changed last
 *
 * The first block that is large enough serves, from the low end on: what lives
 * long gathers there, and the high end empties. A mini holds both links. So
 * one small block costs as much to find as there are free blocks before it:
 * O(n), the limit of this policy, and the reason for all others.
 *
 * The place of a freed block is searched for in two ways, a step of each in
 * turn: along the list from the finger, and along the blocks in memory up to a
 * free one. The first is short where little is free, the second where much is;
 * among n blocks one of them ends after about sqrt(n) steps.
 *
 * Invariants (fit_check)
 *   H6 addresses rise along the list; links are symmetric; the finger is in
 *      the list, or 0
 *
 * First fit in order of address: Knuth (1968); that it wastes little, and why:
 * Wilson, Johnstone, Neely and Boles (1995). */
#ifndef MM_FIT_LIST_H
#define MM_FIT_LIST_H

#include "mm/engine/sizeclass.h"

#define FIT_NAME "fit-list"
#define FIT_SUMMARY "global, free blocks in one list by address, first fit"
#define FIT_VICTIM 0
#define FIT_BY_CLASS 0

struct fit {
    uint32_t first, finger; /* links */
};

#include "mm/engine/fit.h"

/* ---- insert, remove -------------------------------------------------- */

/* One step from *at to where the block with this link belongs.
 * @return true: it belongs just after *at, or first if *at is 0 */
static inline bool list_step(const struct heap *h, uint32_t link, uint32_t *at)
{
    const struct block *b = link_block(h, *at);
    if (*at > link) {
        *at = b->prev;
        return *at < link; /* also 0: nothing is before */
    }
    if (!b->next || b->next > link)
        return true;
    *at = b->next;
    return false;
}

/* One step in memory behind b: is *near a block that waits? After a region's
 * end, or what block_take is about to make one, there is no next block. */
static inline bool memory_step(const struct heap *h, const struct block **near)
{
    if (block_is_end(*near))
        return false;
    if (!block_used(*near) && *near != h->victim)
        return true;
    *near = block_next(*near);
    return false;
}

/* The link of the block after which b belongs; 0: it comes first. */
static inline uint32_t list_place(const struct heap *h, const struct block *b,
                                  uint32_t link)
{
    const struct block *near = block_next(b);
    uint32_t at = h->fit.finger;
    while (at && !list_step(h, link, &at))
        if (memory_step(h, &near))
            return near->prev;
    return at;
}

static inline void fit_insert(struct heap *h, struct block *b, size_t size)
{
    (void)size;
    uint32_t link = block_link(h, b), before = list_place(h, b, link);
    uint32_t *at = before ? &link_block(h, before)->next : &h->fit.first;
    b->prev = before;
    b->next = *at;
    *at = link;
    if (b->next)
        link_block(h, b->next)->prev = link;
    h->fit.finger = link;
}

static inline void fit_remove(struct heap *h, struct block *b, size_t size)
{
    (void)size;
    if (b->prev)
        link_block(h, b->prev)->next = b->next;
    else
        h->fit.first = b->next;
    if (b->next)
        link_block(h, b->next)->prev = b->prev;
    h->fit.finger = b->prev ? b->prev : b->next;
}

/* ---- fit ------------------------------------------------------------- */

static inline uint32_t fit_exact(const struct heap *h, size_t asize)
{
    (void)h;
    (void)asize;
    return 0;
}

static inline struct block *fit_find_aligned(const struct heap *h, size_t asize,
                                             size_t align)
{
    for (uint32_t link = h->fit.first; link;) {
        struct block *b = link_block(h, link);
        if (align_lead(b, align) + asize <= block_size(b))
            return b;
        link = b->next;
    }
    return NULL;
}

static inline struct block *fit_find(const struct heap *h, size_t asize)
{
    return fit_find_aligned(h, asize, ALIGN);
}

/* ---- all of them ----------------------------------------------------- */

static inline void fit_each(struct heap *h, size_t least, fit_visit_fn *visit,
                            void *arg)
{
    (void)least;
    for (uint32_t link = h->fit.first; link;) {
        struct block *b = link_block(h, link);
        visit(h, b, arg);
        link = b->next;
    }
}

static inline void fit_splice(struct heap *dst, struct heap *src)
{
    uint32_t a = dst->fit.first, b = src->fit.first, last = 0;
    uint32_t *tail = &dst->fit.first;
    while (a || b) {
        uint32_t *lower = !b || (a && a < b) ? &a : &b;
        struct block *block = link_block(dst, *lower);
        *tail = *lower;
        block->prev = last;
        last = *lower;
        tail = &block->next;
        *lower = *tail;
    }
    dst->fit.finger = dst->fit.first;
}

static inline size_t fit_check(const struct heap *h, size_t nfree, size_t *bad)
{
    size_t n = 0;
    uint32_t before = 0;
    bool finger = !h->fit.finger;
    for (uint32_t link = h->fit.first; link; n++) {
        const struct block *b = link_block(h, link);
        if (broken(n > nfree || !heap_holds(h, b),
                   "H6 links lead to blocks of the heap", b, "not so at place",
                   n)) {
            ++*bad;
            return n;
        }
        *bad += broken(block_used(b), "H5 a listed block is free", b,
                       "not so at place", n);
        *bad += broken(b->prev != before, "H6 links are symmetric", b,
                       "not so at place", n);
        *bad += broken(link <= before, "H6 addresses rise along the list", b,
                       "not so at place", n);
        finger |= link == h->fit.finger;
        before = link;
        link = b->next;
    }
    *bad += broken(!finger, "H6 the finger is in the list", &h->fit.finger,
                   "it is", h->fit.finger);
    return n;
}

#endif
