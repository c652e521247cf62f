/* fit_tree.h - a policy: a balanced search tree of all free blocks, best fit.
 *
 *                   96 @ 40                   by size, then by address;
 *                 /         \                 a parent's priority is higher
 *           32 @ 10         5000 @ 70         than its children's
 *          /       \
 *     16 @ 90     32 @ 55                     next: left child, prev: right
 *
 * The smallest block that is large enough serves, of equal ones the lowest.
 * Two links is all that a mini has room for: no parent, no colour, no height.
 * So it is a treap: priorities are a hash of the block's address, which nobody
 * needs to store, and with priorities like random ones the tree is as deep as a
 * search tree of keys that came in random order: O(log n), expected, for every
 * operation. A block is found for removal by its key.
 *
 * Invariants (fit_check)
 *   H6 keys (size, address) rise from left to right; priorities fall from the
 *      root down
 *
 * Treaps: Aragon and Seidel (1989); built here by splitting and joining paths
 * instead of rotations. Best fit by tree: Stephenson's fast fits (1983). */
#ifndef MM_FIT_TREE_H
#define MM_FIT_TREE_H

#include "mm/engine/sizeclass.h"

#define FIT_NAME "fit-tree"
#define FIT_SUMMARY "global, free blocks in a balanced tree, best fit"
#define FIT_VICTIM 1
#define FIT_BY_CLASS 0
#define FIT_TRIES 8 /* blocks that are tried for an aligned one */

struct fit {
    uint32_t root; /* link */
};

#include "mm/engine/fit.h"

/* A mixing of all bits (the last steps of MurmurHash3): different links have
 * different priorities. */
static inline uint32_t tree_priority(uint32_t link)
{
    link = (link ^ link >> 16) * 0x85ebca6bu;
    link = (link ^ link >> 13) * 0xc2b2ae35u;
    return link ^ link >> 16;
}

/* Is the block at link before the key? */
static inline bool tree_before(const struct heap *h, uint32_t link, size_t size,
                               uint32_t key)
{
    size_t its = block_size(link_block(h, link));
    return its < size || (its == size && link < key);
}

/* The subtree of b in which the key is. */
static inline uint32_t *tree_child(const struct heap *h, uint32_t link,
                                   size_t size, uint32_t key)
{
    struct block *b = link_block(h, link);
    return tree_before(h, link, size, key) ? &b->prev : &b->next;
}

/* ---- insert, remove -------------------------------------------------- */

/* Down to where priorities are lower; what is there is split around the key. */
static inline void fit_insert(struct heap *h, struct block *b, size_t size)
{
    uint32_t link = block_link(h, b), *at = &h->fit.root;
    uint32_t priority = tree_priority(link);
    while (*at && tree_priority(*at) > priority)
        at = tree_child(h, *at, size, link);
    uint32_t rest = *at, *low = &b->next, *high = &b->prev;
    *at = link;
    while (rest) {
        uint32_t *child = tree_child(h, rest, size, link);
        uint32_t **side = tree_before(h, rest, size, link) ? &low : &high;
        **side = rest;
        *side = child;
        rest = *child;
    }
    *low = *high = 0;
}

/* Its two subtrees are joined in its place. */
static inline void fit_remove(struct heap *h, struct block *b, size_t size)
{
    uint32_t link = block_link(h, b), *at = &h->fit.root;
    while (*at != link)
        at = tree_child(h, *at, size, link);
    uint32_t low = b->next, high = b->prev;
    while (low && high) {
        if (tree_priority(low) > tree_priority(high)) {
            *at = low;
            at = &link_block(h, low)->prev;
            low = *at;
        } else {
            *at = high;
            at = &link_block(h, high)->next;
            high = *at;
        }
    }
    *at = low ? low : high;
}

/* ---- fit ------------------------------------------------------------- */

/* The link of the first block that is not before the key; 0: none. */
static inline uint32_t tree_from(const struct heap *h, size_t size,
                                 uint32_t key)
{
    uint32_t found = 0;
    for (uint32_t at = h->fit.root; at;) {
        bool before = tree_before(h, at, size, key);
        found = before ? found : at;
        at = before ? link_block(h, at)->prev : link_block(h, at)->next;
    }
    return found;
}

static inline uint32_t fit_exact(const struct heap *h, size_t asize)
{
    uint32_t link = tree_from(h, asize, 0);
    return link && block_size(link_block(h, link)) == asize ? link : 0;
}

static inline struct block *fit_find(const struct heap *h, size_t asize)
{
    uint32_t link = tree_from(h, asize, 0);
    return link ? link_block(h, link) : NULL;
}

static inline struct block *fit_find_aligned(const struct heap *h, size_t asize,
                                             size_t align)
{
    struct block *b = fit_find(h, asize);
    for (int i = 0; b && i < FIT_TRIES; i++) {
        if (align_lead(b, align) + asize <= block_size(b))
            return b;
        uint32_t link = tree_from(h, block_size(b), block_link(h, b) + 1);
        b = link ? link_block(h, link) : NULL;
    }
    return fit_find(h, asize + align - ALIGN);
}

/* ---- all of them ----------------------------------------------------- */

static void tree_each(struct heap *h, uint32_t at, size_t least,
                      fit_visit_fn *visit, void *arg)
{
    while (at) {
        struct block *b = link_block(h, at);
        if (block_size(b) >= least) {
            tree_each(h, b->next, least, visit, arg);
            visit(h, b, arg);
        }
        at = b->prev;
    }
}

static inline void fit_each(struct heap *h, size_t least, fit_visit_fn *visit,
                            void *arg)
{
    tree_each(h, h->fit.root, least, visit, arg);
}

static inline void fit_splice(struct heap *dst, struct heap *src)
{
    while (src->fit.root) {
        struct block *b = link_block(src, src->fit.root);
        fit_remove(src, b, block_size(b));
        fit_insert(dst, b, block_size(b));
    }
}

/* As priorities must fall, the walk of a ring ends. *before is the last link
 * met.
 * @return blocks in the subtree */
static size_t tree_check(const struct heap *h, uint32_t at, uint32_t *before,
                         size_t *bad)
{
    if (!at)
        return 0;
    const struct block *b = link_block(h, at);
    if (broken(!heap_holds(h, b), "H6 links lead to blocks of the heap", b,
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
                broken(*before && !tree_before(h, *before, block_size(b), at),
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
            n += tree_check(h, children[i], before, bad);
    }
    return n;
}

static inline size_t fit_check(const struct heap *h, size_t nfree, size_t *bad)
{
    (void)nfree;
    uint32_t before = 0;
    return tree_check(h, h->fit.root, &before, bad);
}

#endif
