/* memhole.h - addresses of the heap that it has given back, where there is a
 * limit of them: what is unmapped there, and what may be had again.
 *
 *   ... region of a heap | mapped ahead |  not mapped  | another region ...
 *                        ^ first, a page               ^ first + pages
 *
 *   word   | busy | pages mapped | pages | first |   0: no hole
 *            1 bit  15 bits        24      24
 *
 * The break never falls. So a heap that gives the end of a region back leaves a
 * hole below it, of which any heap may take the low end again: the one before
 * it grows there, and goes on in place. Holes are mapped again a piece at a
 * time, with MAP_FIXED_NOREPLACE.
 *
 * A hole is claimed by a compare-and-swap of its word, which makes it busy, and
 * is one thread's until that stores the word anew: nobody waits, one looks for
 * another hole, or moves the break. If something of others has come into a
 * hole, it stays busy for good: that is no memory, only addresses. So do all
 * that a fork's child finds. Holes are in the first zone only, as far as a word
 * counts pages: a limit of addresses that needs more is none.
 *
 * Invariant: what lies in a hole that is not busy, behind its mapped pages, is
 * mapped by no thread of ours, and nothing of a hole is handed out. */
#ifndef MEMHOLE_H
#define MEMHOLE_H

#include "config.h"
#include "mempart.h"

#include <stdint.h>

#define HOLES 64
#define HOLE_BITS 24                      /* 64 GiB of the smallest pages */
#define HOLE_MAPPED_MOST ((size_t)0x7fff) /* pages */
#define HOLE_AHEAD ((size_t)1 << 20)      /* bytes, to be mapped at once */
#define HOLE_BUSY ((uint64_t)1 << 63)

_Static_assert(MEM_ZONE >> MEM_GRAIN_LOG2 <= 1 << HOLE_BITS,
               "a word counts the pages of a zone");

typedef _Atomic uint64_t hole_word;

struct hole {
    size_t first, pages, mapped; /* in pages of the system's */
};

static struct {
    hole_word words[HOLES];
    _Atomic uint32_t n; /* words that are not 0 */
} holes;

static inline struct hole hole_of(uint64_t word)
{
    uint64_t mask = ((uint64_t)1 << HOLE_BITS) - 1;
    return (struct hole){word & mask, word >> HOLE_BITS & mask,
                         word >> 2 * HOLE_BITS & HOLE_MAPPED_MOST};
}

static inline uint64_t hole_make(struct hole h)
{
    return (uint64_t)h.mapped << 2 * HOLE_BITS |
           (uint64_t)h.pages << HOLE_BITS | h.first;
}

/* Relaxed: a number to see by that there are none. */
static inline bool holes_any(void)
{
    return atomic_load_explicit(&holes.n, memory_order_relaxed) != 0;
}

static inline uint64_t hole_get(const hole_word *at)
{
    return atomic_load_explicit(at, memory_order_relaxed);
}

/* Acquire, paired with the release in hole_set: what is not mapped there is so
 * to this thread, too. */
static inline bool hole_claim(hole_word *at, uint64_t word)
{
    count_rmw();
    return atomic_compare_exchange_strong_explicit(at, &word, word | HOLE_BUSY,
                                                   memory_order_acquire,
                                                   memory_order_relaxed);
}

/* The caller's hole is free again, or no longer. */
static inline void hole_set(hole_word *at, struct hole h)
{
    atomic_store_explicit(at, h.pages ? hole_make(h) : 0, memory_order_release);
    if (!h.pages) {
        count_rmw();
        atomic_fetch_sub_explicit(&holes.n, 1, memory_order_relaxed);
    }
}

/* A word for a new hole, the caller's. NULL: there are too many */
static inline hole_word *hole_new(struct hole h)
{
    for (size_t i = 0; i < HOLES; i++) {
        uint64_t none = 0;
        if (hole_get(&holes.words[i]))
            continue;
        count_rmw();
        if (!atomic_compare_exchange_strong_explicit(
                &holes.words[i], &none, hole_make(h) | HOLE_BUSY,
                memory_order_relaxed, memory_order_relaxed))
            continue;
        atomic_fetch_add_explicit(&holes.n, 1, memory_order_relaxed);
        return &holes.words[i];
    }
    return NULL;
}

/* Have n pages of h, the caller's, mapped. */
static inline enum mapped hole_map(const struct part *part, struct hole *h,
                                   size_t n, size_t page)
{
    size_t ahead = n + HOLE_AHEAD / page;
    size_t most = ahead < h->pages ? ahead : h->pages;
    if (n <= h->mapped)
        return MAPPED;
    char *at = part->start + (h->first + h->mapped) * page;
    enum mapped result = map_at(at, (most - h->mapped) * page);
    if (result == REFUSED && most > n)
        result = map_at(at, ((most = n) - h->mapped) * page);
    if (result != MAPPED)
        return result;
    sys_name(at, (most - h->mapped) * page, NAME_HEAP);
    thp_advise(at, part->start + (h->first + most) * page);
    h->mapped = most;
    return MAPPED;
}

/* Hand out the first n pages of a hole, the caller's. REFUSED: no memory;
 * TAKEN: it is not ours any more, and stays busy. */
static inline enum mapped hole_cut(struct part *part, hole_word *at,
                                   struct hole h, size_t n, size_t page)
{
    enum mapped result = hole_map(part, &h, n, page);
    if (result == TAKEN)
        return result;
    if (result == MAPPED) {
        h = (struct hole){h.first + n, h.pages - n, h.mapped - n};
        mark_add(&part->skipped, -(n * page));
    }
    hole_set(at, h);
    return result;
}

/* At least *size bytes of a hole that begins at a place, or, if that is 0, of
 * any. Once the kernel has refused to map more, only of one that is mapped so
 * far. @return NULL: there is none */
static inline char *hole_take(struct part *part, size_t begins, size_t *size,
                              size_t page)
{
    size_t n = (*size + page - 1) / page;
    bool refused = false;
    for (size_t i = 0; i < HOLES && n <= HOLE_MAPPED_MOST / 2; i++) {
        uint64_t word = hole_get(&holes.words[i]);
        struct hole h = hole_of(word);
        bool fits = word && !(word & HOLE_BUSY) && h.pages >= n &&
                    (!begins || h.first * page == begins) &&
                    (!refused || h.mapped >= n);
        if (!fits || !hole_claim(&holes.words[i], word))
            continue;
        enum mapped result = hole_cut(part, &holes.words[i], h, n, page);
        refused = refused || result == REFUSED;
        if (result != MAPPED)
            continue;
        *size = n * page;
        return part->start + h.first * page;
    }
    return NULL;
}

/* Claim the hole that ends at page first, or that begins there. NULL: none */
static inline hole_word *hole_beside(size_t first, bool ends, struct hole *h)
{
    for (size_t i = 0; i < HOLES; i++) {
        uint64_t word = hole_get(&holes.words[i]);
        *h = hole_of(word);
        size_t meets = ends ? h->first + h->pages : h->first;
        if (word && !(word & HOLE_BUSY) && meets == first &&
            hole_claim(&holes.words[i], word))
            return &holes.words[i];
    }
    *h = (struct hole){0};
    return NULL;
}

/* h, the caller's, takes in the one behind it, of which nothing stays mapped.
 */
static inline void hole_join(const struct part *part, struct hole *h,
                             size_t page)
{
    struct hole next;
    hole_word *word = hole_beside(h->first + h->pages, false, &next);
    if (!word)
        return;
    char *at = part->start + next.first * page;
    if (!next.mapped || sys_munmap(at, next.mapped * page) == 0) {
        h->pages += next.pages;
        next = (struct hole){0};
    }
    hole_set(word, next);
}

/* Whole pages, the caller's, become a hole, or part of one. errno is kept.
 * @return false: beyond the first zone; or too many holes, or mappings */
static inline bool hole_open(struct part *part, size_t at, size_t size,
                             size_t page)
{
    struct hole before, h = {at / page, size / page, 0};
    int saved = errno;
    if (at + size > MEM_ZONE)
        return false;
    hole_word *word = hole_beside(h.first, true, &before);
    if (word)
        h = (struct hole){before.first, before.pages + h.pages, before.mapped};
    else if (!(word = hole_new(h)))
        return false;
    bool gone = sys_munmap(part->start + at, size) == 0;
    if (gone) {
        mark_add(&part->skipped, size);
        hole_join(part, &h, page);
    }
    hole_set(word, gone ? h : before);
    errno = saved;
    return gone;
}

/* In a fork's child, where words may be older than what they say: nobody takes
 * any more. Any thread may do this, at any time, and before it opens or takes a
 * hole: so a word that changes meanwhile is of a hole of the child's. */
static inline void holes_abandon(void)
{
    for (size_t i = 0; i < HOLES && holes_any(); i++) {
        uint64_t word = hole_get(&holes.words[i]);
        if (word && !(word & HOLE_BUSY))
            hole_claim(&holes.words[i], word);
    }
}

/* ---- alone ----------------------------------------------------------- */

struct gap {
    size_t from, to; /* distances from the start; not mapped by us */
};

static inline struct gap gap_first(struct gap a, struct gap b, size_t at)
{
    return b.to > at && b.from < a.from ? b : a;
}

/* The lowest gap that ends beyond at. Where a jump leads to, the page before is
 * mapped, too. */
static inline struct gap part_next_gap(const struct part *part, size_t at,
                                       size_t page)
{
    struct gap next = {SIZE_MAX, SIZE_MAX};
    for (size_t i = 0; i < mark_get(&part->njumps) && i < JUMPS_KNOWN; i++) {
        const struct jump *j = &part->jumps[i];
        if (j->mapped < j->to - page) /* else it was mapped ahead */
            next = gap_first(next, (struct gap){j->mapped, j->to - page}, at);
    }
    for (size_t i = 0; part->blocks && i < HOLES; i++) {
        struct hole h = hole_of(hole_get(&holes.words[i]));
        struct gap g = {h.first + h.mapped, h.first + h.pages};
        next = gap_first(next, (struct gap){g.from * page, g.to * page}, at);
    }
    return next;
}

/* Unmap what lies from a distance on, but not what is not ours. */
static inline void part_unmap(struct part *part, size_t at, size_t page)
{
    size_t committed = part_committed(part);
    while (at < committed) {
        struct gap g = part_next_gap(part, at, page);
        size_t end = g.from < committed ? g.from : committed;
        if (end > at)
            sys_munmap(part->start + at, end - at);
        at = g.to;
    }
}

static inline void holes_forget(void)
{
    for (size_t i = 0; i < HOLES; i++)
        atomic_store_explicit(&holes.words[i], 0, memory_order_relaxed);
    atomic_store_explicit(&holes.n, 0, memory_order_relaxed);
}

/* What is mapped up to the first gap stays, and is zero. */
static inline void part_reset(struct part *part, size_t page)
{
    struct gap g = part_next_gap(part, 0, page);
    size_t done = part_committed(part), keep = g.from < done ? g.from : done;
    part_unmap(part, keep, page);
    sys_zero(part->start, keep);
    if (part->blocks)
        holes_forget();
    part_init(part, part->start, part->limit, part->piece);
    mark_set(&part->committed, keep);
    mark_set(&part->intended, keep);
    if (part->blocks)
        mark_set(part->blocks, keep / 16);
}

#endif
