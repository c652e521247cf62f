/* walk.h - reports what an arena is made of, piece by piece, for mm.h's walk.
 *
 *   region | 8 | block | block: a slab ..... | block | 8 end |
 *   kind    own  block   own header, each slot block   own
 *
 * A block is reported with its header; a slot of a slab has none. To the
 * engine, a block that waits in a cache or an inbox is in use: stages add which
 * wait in an inbox (walk_chain). @pre for all: quiescent, and the heap is
 * sound. */
#ifndef MM_ENGINE_WALK_H
#define MM_ENGINE_WALK_H

#include "mm.h"
#include "mm/engine/arena.h"

struct walker {
    void (*each)(const struct mm_piece *piece, void *arg);
    void *arg;
};

static inline void walk_own(const struct walker *w, const void *at, size_t size,
                            uint32_t owner)
{
    struct mm_piece piece = {
        .at = at, .size = size, .kind = MM_PIECE_OWN, .owner = owner};
    w->each(&piece, w->arg);
}

/* Which blocks of s, of class c, are free: a bit each. */
static inline void slab_free_bits(const struct mem_page *s, unsigned c,
                                  uint64_t bits[SLAB_WORDS])
{
    const char *p = s->free;
    for (; p; p = *(char *const *)p) {
        size_t i = (size_t)(p - slab_start(s)) / (c * ALIGN);
        bits[i / 64] |= (uint64_t)1 << (i % 64);
    }
    for (size_t i = s->carved; i < slab_classes[c].slots; i++)
        bits[i / 64] |= (uint64_t)1 << (i % 64);
}

static inline void walk_slab(const struct walker *w, const struct mem_page *s,
                             uint32_t owner)
{
    unsigned c = tag_class(s->tag), slots = slab_classes[c].slots;
    size_t size = c * ALIGN;
    const char *first = slab_start(s), *rest = first + slots * size;
    const char *end = first + slab_classes[c].pages * PAGE - HEADER_SIZE;
    uint64_t bits[SLAB_WORDS] = {0};
    slab_free_bits(s, c, bits);
    walk_own(w, payload_block(first), HEADER_SIZE, owner);
    for (unsigned i = 0; i < slots; i++) {
        bool is_free = bits[i / 64] >> (i % 64) & 1;
        struct mm_piece piece = {.at = first + i * size,
                                 .size = size,
                                 .kind =
                                     is_free ? MM_PIECE_FREE : MM_PIECE_USED,
                                 .owner = owner,
                                 .list = (long)size,
                                 .in_slab = true};
        w->each(&piece, w->arg);
    }
    if (rest < end)
        walk_own(w, rest, (size_t)(end - rest), owner);
}

static inline void walk_block(const struct walker *w, const struct heap *h,
                              const struct block *b)
{
    long list = 0;
    if (!block_used(b) && b == h->fit.victim)
        list = MM_LIST_VICTIM;
    else if (!block_used(b) && FIT_BY_CLASS)
        list = (long)class_floor(size_class(block_size(b)));
    struct mm_piece piece = {.at = b,
                             .size = block_size(b),
                             .head = HEADER_SIZE,
                             .kind =
                                 block_used(b) ? MM_PIECE_USED : MM_PIECE_FREE,
                             .owner = h->owner,
                             .list = list};
    w->each(&piece, w->arg);
}

/** All of one arena. */
static inline void walk_arena(const struct walker *w, const struct arena *a)
{
    const struct heap *h = &a->heap;
    uint32_t link = h->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        walk_own(w, r, sizeof *r, h->owner);
        const struct block *b = (const struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b)) {
            const struct mem_page *s = block_slab(b);
            if (s)
                walk_slab(w, s, h->owner);
            else
                walk_block(w, h, b);
        }
        walk_own(w, b, HEADER_SIZE, h->owner);
    }
}

/** A chain of blocks, linked through their payloads, that wait for owner in an
 * inbox. */
static inline void walk_chain(const struct walker *w, const void *p,
                              uint32_t owner)
{
    for (; p; p = *(void *const *)p) {
        struct mm_piece piece = {
            .at = p, .kind = MM_PIECE_SENT, .owner = owner};
        w->each(&piece, w->arg);
    }
}

#endif
