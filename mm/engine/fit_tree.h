/* fit_tree.h - a policy: a balanced search tree of all free blocks, best fit.
 *
 *                   96 @ 40                   by size, then by address;
 *                 /         \                 a parent's priority is higher
 *           32 @ 10         5000 @ 70         than its children's
 *          /       \
 *     16 @ 90     32 @ 55                     next: left child, prev: right
 *
 * The smallest block that is large enough serves, and of equal ones that with
 * the lowest address. A mini has room for two links, but not for a parent, a
 * colour or a height. So the tree is a treap: a block's priority is a hash of
 * its address, which need not be stored. As hashes are like random numbers, the
 * tree is as deep as a search tree whose keys came in random order: every
 * operation takes O(log n) steps, expected. To be removed, a block is found by
 * its key.
 *
 * Invariants (fit_check)
 *   H6 keys (size, address) rise from left to right; priorities fall from the
 *      root down
 *
 * Treaps: Aragon and Seidel (1989); built here by splitting and joining paths
 * instead of rotations. Best fit by tree: Stephenson's fast fits (1983). */
#ifndef MM_ENGINE_FIT_TREE_H
#define MM_ENGINE_FIT_TREE_H

#include "mm/engine/fit.h"

#define FIT_NAME "fit-tree"
#define FIT_SUMMARY "global, free blocks in a balanced tree, best fit"
#define FIT_VICTIM 1
#define FIT_BY_CLASS 0
#define FIT_TRIES 8 /* blocks that are tried for an aligned one */

struct fit {
    char *base;           /* links count from here */
    struct block *victim; /* in no list (fit.h) */
    uint32_t root;        /* link */
};

/* A mixing of all bits (the last steps of MurmurHash3): different links have
 * different priorities. */
static inline uint32_t tree_priority(uint32_t link)
{
    link = (link ^ link >> 16) * 0x85ebca6bu;
    link = (link ^ link >> 13) * 0xc2b2ae35u;
    return link ^ link >> 16;
}

/* Is the block at link before the key? */
static inline bool tree_before(const struct fit *f, uint32_t link, size_t size,
                               uint32_t key)
{
    size_t its = block_size(link_block(f->base, link));
    return its < size || (its == size && link < key);
}

/* The subtree of the block at link in which the key belongs. */
static inline uint32_t *tree_child(const struct fit *f, uint32_t link,
                                   size_t size, uint32_t key)
{
    struct block *b = link_block(f->base, link);
    return tree_before(f, link, size, key) ? &b->prev : &b->next;
}

/* ---- insert, remove -------------------------------------------------- */

/* Go down to the first block of lower priority, and put b in its place; its
 * subtree is split around the key. */
static inline void fit_insert(struct fit *f, struct block *b, size_t size)
{
    uint32_t link = block_link(f->base, b), *at = &f->root;
    uint32_t priority = tree_priority(link);
    while (*at && tree_priority(*at) > priority)
        at = tree_child(f, *at, size, link);
    uint32_t rest = *at, *low = &b->next, *high = &b->prev;
    *at = link;
    while (rest) {
        uint32_t *child = tree_child(f, rest, size, link);
        uint32_t **side = tree_before(f, rest, size, link) ? &low : &high;
        **side = rest;
        *side = child;
        rest = *child;
    }
    *low = *high = 0;
}

/* Join the two subtrees of b in its place. */
static inline void fit_remove(struct fit *f, struct block *b, size_t size)
{
    uint32_t link = block_link(f->base, b), *at = &f->root;
    while (*at != link)
        at = tree_child(f, *at, size, link);
    uint32_t low = b->next, high = b->prev;
    while (low && high) {
        if (tree_priority(low) > tree_priority(high)) {
            *at = low;
            at = &link_block(f->base, low)->prev;
            low = *at;
        } else {
            *at = high;
            at = &link_block(f->base, high)->next;
            high = *at;
        }
    }
    *at = low ? low : high;
}

/* ---- fit ------------------------------------------------------------- */

/* The link of the first block that is not before the key; 0: none. */
static inline uint32_t tree_from(const struct fit *f, size_t size, uint32_t key)
{
    uint32_t found = 0;
    for (uint32_t at = f->root; at;) {
        bool before = tree_before(f, at, size, key);
        found = before ? found : at;
        at = before ? link_block(f->base, at)->prev
                    : link_block(f->base, at)->next;
    }
    return found;
}

static inline uint32_t fit_exact(const struct fit *f, size_t asize)
{
    uint32_t link = tree_from(f, asize, 0);
    return link && block_size(link_block(f->base, link)) == asize ? link : 0;
}

static inline struct block *fit_find(const struct fit *f, size_t asize)
{
    uint32_t link = tree_from(f, asize, 0);
    return link ? link_block(f->base, link) : NULL;
}

static inline struct block *fit_find_aligned(const struct fit *f, size_t asize,
                                             size_t align)
{
    struct block *b = fit_find(f, asize);
    for (int i = 0; b && i < FIT_TRIES; i++) {
        if (align_lead(b, align) + asize <= block_size(b))
            return b;
        uint32_t link = tree_from(f, block_size(b), block_link(f->base, b) + 1);
        b = link ? link_block(f->base, link) : NULL;
    }
    return fit_find(f, asize + align - ALIGN);
}

/* ---- all of them ----------------------------------------------------- */

static void tree_each(struct fit *f, uint32_t at, size_t least,
                      fit_visit_fn *visit, void *arg)
{
    while (at) {
        struct block *b = link_block(f->base, at);
        if (block_size(b) >= least) {
            tree_each(f, b->next, least, visit, arg);
            visit(b, arg);
        }
        at = b->prev;
    }
}

static inline void fit_each(struct fit *f, size_t least, fit_visit_fn *visit,
                            void *arg)
{
    tree_each(f, f->root, least, visit, arg);
}

static inline void fit_splice(struct fit *dst, struct fit *src)
{
    while (src->root) {
        struct block *b = link_block(src->base, src->root);
        fit_remove(src, b, block_size(b));
        fit_insert(dst, b, block_size(b));
    }
}

/* Check the subtree at `at`. The walk ends even if links lead in a ring, as it
 * goes on only where priorities fall. *before is the last link that was met.
 * @return blocks in the subtree */
static size_t tree_check(const struct fit *f, fit_holds_fn *holds,
                         const void *h, uint32_t at, uint32_t *before,
                         size_t *bad)
{
    if (!at)
        return 0;
    const struct block *b = link_block(f->base, at);
    if (broken(!holds(h, b), "H6 links lead to blocks of the heap", b,
               "not so; the link is", at)) {
        ++*bad;
        return 0;
    }
    *bad += broken(block_used(b), "H5 a listed block is free", b, "its size is",
                   block_size(b));
    const uint32_t children[] = {b->next, b->prev};
    size_t n = 1;
    for (int i = 0; i < 2; i++) {
        if (i == 1) {
            *bad +=
                broken(*before && !tree_before(f, *before, block_size(b), at),
                       "H6 keys rise from left to right", b, "its size is",
                       block_size(b));
            *before = at;
        }
        if (broken(children[i] &&
                       tree_priority(children[i]) >= tree_priority(at),
                   "H6 priorities fall from the root down", b, "its child is",
                   children[i]))
            ++*bad;
        else
            n += tree_check(f, holds, h, children[i], before, bad);
    }
    return n;
}

static inline size_t fit_check(const struct fit *f, fit_holds_fn *holds,
                               const void *h, size_t nfree, size_t *bad)
{
    (void)nfree;
    uint32_t before = 0;
    return tree_check(f, holds, h, f->root, &before, bad);
}

#endif
