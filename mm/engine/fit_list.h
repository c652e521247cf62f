/* fit_list.h - a policy: one list of all free blocks, in order of address.
 *
 *   first ─► block ⇄ block ⇄ block ⇄ block ─► 0      lowest address first
 *                      ▲ finger: where the list was changed last
 *
 * The block with the lowest address that is large enough serves. So what lives
 * long gathers at the low end, and the high end empties. To find it costs a
 * step for each free block before it: O(n), the limit of this policy, and the
 * reason for all others.
 *
 * The place of a freed block is searched for in two ways, a step of each in
 * turn: along the list, from the finger on; and along the blocks in memory, up
 * to the next free one. The first way is short where few blocks are free, the
 * second where many are; among n blocks one of them ends after about sqrt(n)
 * steps.
 *
 * Invariants (fit_check)
 *   H6 addresses rise along the list; links are symmetric; the finger is in
 *      the list, or 0
 *
 * First fit in order of address: Knuth (1968); that it wastes little, and why:
 * Wilson, Johnstone, Neely and Boles (1995). */
#ifndef MM_ENGINE_FIT_LIST_H
#define MM_ENGINE_FIT_LIST_H

#include "mm/engine/fit.h"

#define FIT_NAME "fit-list"
#define FIT_SUMMARY "global, free blocks in one list by address, first fit"
#define FIT_VICTIM 0
#define FIT_BY_CLASS 0

struct fit {
    char *base;             /* links count from here */
    struct block *victim;   /* in no list (fit.h) */
    uint32_t first, finger; /* links */
};

/* ---- insert, remove -------------------------------------------------- */

/* Move *at one step towards the place of the block with this link.
 * @return true: it belongs just after *at, or, if *at is 0, at the front */
static inline bool list_step(const struct fit *f, uint32_t link, uint32_t *at)
{
    const struct block *b = link_block(f->base, *at);
    if (*at > link) {
        *at = b->prev;
        return *at < link; /* so is 0 */
    }
    if (!b->next || b->next > link)
        return true;
    *at = b->next;
    return false;
}

/* Move *near to the next block in memory, unless it waits, or ends its region.
 * (What block_take is about to use looks like such an end.) @return it waits */
static inline bool memory_step(const struct fit *f, const struct block **near)
{
    if (block_is_end(*near))
        return false;
    if (!block_used(*near) && *near != f->victim)
        return true;
    *near = block_next(*near);
    return false;
}

/* The link of the block after which b belongs; 0: at the front. */
static inline uint32_t list_place(const struct fit *f, const struct block *b,
                                  uint32_t link)
{
    const struct block *near = block_next(b);
    uint32_t at = f->finger;
    while (at && !list_step(f, link, &at))
        if (memory_step(f, &near))
            return near->prev;
    return at;
}

static inline void fit_insert(struct fit *f, struct block *b, size_t size)
{
    (void)size;
    uint32_t link = block_link(f->base, b), before = list_place(f, b, link);
    uint32_t *at = before ? &link_block(f->base, before)->next : &f->first;
    b->prev = before;
    b->next = *at;
    *at = link;
    if (b->next)
        link_block(f->base, b->next)->prev = link;
    f->finger = link;
}

static inline void fit_remove(struct fit *f, struct block *b, size_t size)
{
    (void)size;
    if (b->prev)
        link_block(f->base, b->prev)->next = b->next;
    else
        f->first = b->next;
    if (b->next)
        link_block(f->base, b->next)->prev = b->prev;
    f->finger = b->prev ? b->prev : b->next;
}

/* ---- fit ------------------------------------------------------------- */

static inline uint32_t fit_exact(const struct fit *f, size_t asize)
{
    (void)f;
    (void)asize;
    return 0;
}

static inline struct block *fit_find_aligned(const struct fit *f, size_t asize,
                                             size_t align)
{
    for (uint32_t link = f->first; link;) {
        struct block *b = link_block(f->base, link);
        if (align_lead(b, align) + asize <= block_size(b))
            return b;
        link = b->next;
    }
    return NULL;
}

static inline struct block *fit_find(const struct fit *f, size_t asize)
{
    return fit_find_aligned(f, asize, ALIGN);
}

/* ---- all of them ----------------------------------------------------- */

static inline void fit_each(struct fit *f, size_t least, fit_visit_fn *visit,
                            void *arg)
{
    (void)least;
    for (uint32_t link = f->first; link;) {
        struct block *b = link_block(f->base, link);
        visit(b, arg);
        link = b->next;
    }
}

static inline void fit_splice(struct fit *dst, struct fit *src)
{
    uint32_t a = dst->first, b = src->first, last = 0;
    uint32_t *tail = &dst->first;
    while (a || b) {
        uint32_t *lower = !b || (a && a < b) ? &a : &b;
        struct block *block = link_block(dst->base, *lower);
        *tail = *lower;
        block->prev = last;
        last = *lower;
        tail = &block->next;
        *lower = *tail;
    }
    dst->finger = dst->first;
}

static inline size_t fit_check(const struct fit *f, fit_holds_fn *holds,
                               const void *h, size_t nfree, size_t *bad)
{
    size_t n = 0;
    uint32_t before = 0;
    bool finger = !f->finger;
    for (uint32_t link = f->first; link; n++) {
        const struct block *b = link_block(f->base, link);
        if (broken(n > nfree || !holds(h, b),
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
        finger |= link == f->finger;
        before = link;
        link = b->next;
    }
    *bad += broken(!finger, "H6 the finger is in the list", &f->finger, "it is",
                   f->finger);
    return n;
}

#endif
