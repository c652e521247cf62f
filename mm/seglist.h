/* seglist.h - a heap's segregated free lists: where free blocks wait.
 *
 *   summary ─► bitmap of non-empty lists ─► heads[class] ─► block <─► block
 *   1 word     NCLASSES bits                             LIFO, 32-bit links
 *   victim ──► the rest of the block that was split last; in no list
 *
 * Finding the first non-empty list is two count-trailing-zeros, so a fit is
 * found in O(1): exactly for sizes up to EXACT_MAX, else within 1/16 of the
 * best, for lists are so fine; of an inexact list the best of FIT_TRIES.
 *
 * Invariants (check.h counts and names what is broken)
 *   H5 a free block is in the list of its class, exactly once, or is the
 *      victim; no other block is
 *   H6 links are symmetric; a list's bit is set iff the list is not empty, and
 *      a word's in the summary iff one of its lists is not
 *   H7 dirty == bytes that listed blocks >= PURGE_MIN say are dirty: that may
 *      be resident; clean == bytes that any listed block says are not; no block
 *      says more than its size
 *
 * Lists by size class are the 15-213 malloc lab's (Bryant & O'Hallaron);
 * bitmaps over them and the victim are dlmalloc's (Lea, 1987-2012). */
#ifndef MM_SEGLIST_H
#define MM_SEGLIST_H

#include "memlib.h"
#include "mm/sizeclass.h"

#define FIT_TRIES 8
/* Bytes: smaller free blocks keep their pages while their heap is at work; when
 * it rests, only those smaller than DIRTY_MIN do. */
#define PURGE_MIN ((size_t)128 << 10)
#define DIRTY_MIN ((size_t)16 << 10)

#define NBITMAP ((NCLASSES + 63) / 64)

struct heap {
    char *base;               /* links count from here: the range's base */
    uint32_t owner;           /* what headers and tags say of who owns them */
    bool fixed;               /* true: must not grow now */
    uint64_t summary;         /* bit w: bitmap[w] != 0 */
    uint64_t bitmap[NBITMAP]; /* bit c: list c is not empty */
    uint32_t heads[NCLASSES];
    uint32_t regions;     /* link to the newest region's first block (heap.h) */
    struct block *victim; /* H5; NULL: none */
    size_t size;          /* bytes of all regions */
    size_t dirty;         /* H7 */
    size_t clean;         /* H7 */
    size_t grown;    /* bytes that became resident, each time that they did */
    size_t purge_at; /* resident bytes below which growing purges nothing */
};

_Static_assert(NBITMAP <= 64, "one summary word");

/* ---- links ----------------------------------------------------------- */

static always_inline struct block *link_block(const struct heap *h, uint32_t l)
{
    return (struct block *)(h->base - HEADER_SIZE + (size_t)l * ALIGN);
}

static always_inline uint32_t block_link(const struct heap *h,
                                         const struct block *b)
{
    return (uint32_t)((size_t)((const char *)b + HEADER_SIZE - h->base) /
                      ALIGN);
}

/* ---- lists ----------------------------------------------------------- */

/* Bytes that may be resident: at least those that are. */
static always_inline size_t heap_resident(const struct heap *h)
{
    return h->size - h->clean;
}

/* Of the bytes of b, free, those that may be resident. Only a large block has
 * reason to say: smaller ones are never purged. */
static always_inline size_t free_dirty(const struct block *b, size_t size)
{
    return size >= DIRTY_MIN ? *(const size_t *)(b + 1) : size;
}

static always_inline void free_set_dirty(struct block *b, size_t size,
                                         size_t dirty)
{
    if (unlikely(size >= DIRTY_MIN))
        *(size_t *)(b + 1) = dirty;
}

/* The other bytes: they need no purge, and cost the system when used again. */
static always_inline size_t free_clean(const struct block *b, size_t size)
{
    return unlikely(size >= DIRTY_MIN) ? size - free_dirty(b, size) : 0;
}

/* What purging b would give back. */
static always_inline size_t block_dirty(const struct block *b, size_t size)
{
    return size >= PURGE_MIN ? free_dirty(b, size) : 0;
}

/* Class c has just got its first block, or lost its last. */
static always_inline void mark_class(struct heap *h, unsigned c)
{
    h->bitmap[c / 64] |= 1ull << (c % 64);
    h->summary |= 1ull << (c / 64);
}

static always_inline void unmark_class(struct heap *h, unsigned c)
{
    h->bitmap[c / 64] &= ~(1ull << (c % 64));
    if (!h->bitmap[c / 64])
        h->summary &= ~(1ull << (c / 64));
}

/* Add b, free and of the given size, to the front of its list. */
static always_inline void list_insert(struct heap *h, struct block *b,
                                      size_t size)
{
    unsigned c = size_class(size);
    uint32_t head = h->heads[c], link = block_link(h, b);
    b->next = head;
    b->prev = 0;
    h->heads[c] = link;
    if (head)
        link_block(h, head)->prev = link;
    else
        mark_class(h, c);
    h->dirty += block_dirty(b, size);
    h->clean += free_clean(b, size);
}

/* Take b, free and of the given size, out of its list. */
static always_inline void list_remove(struct heap *h, struct block *b,
                                      size_t size)
{
    uint32_t next = b->next, prev = b->prev;
    h->dirty -= block_dirty(b, size);
    h->clean -= free_clean(b, size);
    if (next)
        link_block(h, next)->prev = prev;
    if (prev) {
        link_block(h, prev)->next = next;
        return;
    }
    unsigned c = size_class(size);
    h->heads[c] = next;
    if (!next)
        unmark_class(h, c);
}

/* The victim's turn is over. As it was cut all the time it kept no count of
 * its dirty bytes: they are all taken for dirty. */
static always_inline struct block *victim_drop(struct heap *h)
{
    struct block *v = h->victim;
    h->victim = NULL;
    if (v)
        free_set_dirty(v, block_size(v), block_size(v));
    return v;
}

/* It goes where all others are. */
static always_inline void retire_victim(struct heap *h)
{
    struct block *v = victim_drop(h);
    if (v)
        list_insert(h, v, block_size(v));
}

/* Take the free block b out of its list, or from being the victim. */
static always_inline void unlist(struct heap *h, struct block *b)
{
    if (b == h->victim)
        victim_drop(h);
    else
        list_remove(h, b, block_size(b));
}

/* The first non-empty class >= c, or NCLASSES. */
static always_inline unsigned next_class(const struct heap *h, unsigned c)
{
    unsigned w = c / 64;
    if (w >= NBITMAP)
        return NCLASSES;
    uint64_t bits = h->bitmap[w] >> (c % 64);
    if (bits)
        return c + (unsigned)__builtin_ctzl(bits);
    uint64_t words = h->summary & (~1ull << w); /* w == 63: 0, as it must be */
    if (!words)
        return NCLASSES;
    w = (unsigned)__builtin_ctzl(words);
    return w * 64 + (unsigned)__builtin_ctzl(h->bitmap[w]);
}

/* The smallest of the first FIT_TRIES blocks of list c that hold asize. */
static inline struct block *list_best(const struct heap *h, unsigned c,
                                      size_t asize)
{
    struct block *best = NULL;
    size_t best_size = SIZE_MAX;
    uint32_t link = h->heads[c];
    for (int i = 0; link && i < FIT_TRIES; i++) {
        struct block *b = link_block(h, link);
        size_t size = block_size(b);
        if (size >= asize && size < best_size) {
            best = b;
            best_size = size;
        }
        link = b->next;
    }
    return best;
}

/* A free block of at least asize bytes, still in its list; NULL: none. */
static always_inline struct block *heap_fit(const struct heap *h, size_t asize)
{
    unsigned c = size_class(asize);
    if (unlikely(c >= NEXACT)) {
        struct block *b = list_best(h, c, asize);
        if (b)
            return b;
        c++; /* every block of a higher class is large enough */
    }
    c = next_class(h, c);
    if (c >= NCLASSES)
        return NULL;
    return c < NEXACT ? link_block(h, h->heads[c]) : list_best(h, c, asize);
}

/* ---- purge ----------------------------------------------------------- */

/* Bytes that heap_purge would give back: of listed blocks, and the victim. */
static inline size_t heap_waste(const struct heap *h)
{
    const struct block *v = h->victim;
    size_t size = v ? block_size(v) : 0;
    return h->dirty + (size >= PURGE_MIN ? size : 0);
}

/* Give the pages of b, listed, back to the system. @return their bytes */
static inline size_t block_purge(struct heap *h, struct block *b)
{
    size_t size = block_size(b);
    if (size < DIRTY_MIN || !free_dirty(b, size))
        return 0;
    h->dirty -= block_dirty(b, size);
    h->clean += free_dirty(b, size);
    free_set_dirty(b, size, 0);
    char *first = (char *)(b + 1) + sizeof(size_t); /* keep both ends */
    return mem_purge(first, (size_t)((char *)block_footer(b) - first));
}

/* The same for all free blocks of least bytes or more. */
static cold_noinline size_t heap_purge_from(struct heap *h, size_t least)
{
    size_t given = 0;
    retire_victim(h); /* it may be the largest of all */
    unsigned c = size_class(least);
    while ((c = next_class(h, c)) < NCLASSES) {
        uint32_t link = h->heads[c++];
        for (struct block *b; link; link = b->next) {
            b = link_block(h, link);
            given += block_purge(h, b);
        }
    }
    return given;
}

static inline size_t heap_purge(struct heap *h)
{
    return heap_purge_from(h, PURGE_MIN);
}

#endif
