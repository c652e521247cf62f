/* census.h - counts an arena from outside: without its lock, whoever owns it.
 *
 *   mapped  | blocks in use       | blocks of slabs | free blocks    | purged |
 *           | a->used             | out             | what is left   | clean  |
 *
 * Only words of the arena and page records are read, and no block: these are
 * always mapped, whatever their owner does meanwhile. Each word is read once;
 * two of them may be of different moments, and so what is counted while the
 * owner works is near the truth, and right when nobody does. What a word that
 * has changed could lead to is bounded: a list of slabs is followed for no more
 * steps than it has slabs. So this may be done at any time, in a signal
 * handler, too.
 *
 * The owner writes these words by plain stores, which are whole:
 * ThreadSanitizer is told that this is meant. */
#ifndef MM_ENGINE_CENSUS_H
#define MM_ENGINE_CENSUS_H

#include "mm.h"
#include "mm/engine/arena.h"

/* A word of another thread's, as it is at this moment. */
#define peek(word) (*(const volatile __typeof__(word) *)&(word))
#define unsynchronized __attribute__((no_sanitize("thread")))

_Static_assert(MM_CENSUS_CLASSES == NLIVE, "a class for each size");

/* Blocks of class c that are out of their slabs. A slab that cannot serve is
 * not listed, and all its blocks are. */
static inline unsynchronized size_t class_out(const struct slabs *slabs,
                                              unsigned c, size_t nslabs)
{
    size_t out = 0, left = nslabs, npages = mem_blocks() / PAGE_UNITS;
    uint32_t i = peek(slabs->first[c]);
    for (; i && i < npages && left; left--) {
        const struct mem_page *s = &mem_range.pages[i];
        if (tag_class(peek(s->tag)) != c || !peek(s->listed))
            break; /* it has just left the list */
        out += min_size(peek(s->room), slab_classes[c].slots);
        i = peek(s->next);
    }
    return out + left * slab_classes[c].slots;
}

/* Add the class to k, which may be NULL. @return bytes that are out */
static inline unsynchronized size_t class_census(const struct arena *a,
                                                 unsigned c,
                                                 struct mm_census_class *k)
{
    size_t nslabs = peek(a->slabs.nslabs[c]);
    size_t out = nslabs ? class_out(&a->slabs, c, nslabs) : 0;
    if (k) {
        k->slabs += nslabs;
        k->used += out;
        k->free += nslabs * slab_classes[c].slots - out;
    }
    return out * c * ALIGN;
}

/** Count the arena into *out, but for what is cached; and its classes. */
static inline unsynchronized void arena_census(const struct arena *a,
                                               struct mm_census_arena *out,
                                               struct mm_census_class *classes)
{
    size_t used = peek(a->used), clean = peek(a->heap.clean), rest;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        used += class_census(a, c, classes ? &classes[c] : NULL);
    for (unsigned i = 1; i < NLIVE && classes; i++)
        classes[i].headers += peek(a->live[i]);
    out->mapped = peek(a->heap.size);
    out->live = min_size(used, out->mapped);
    rest = out->mapped - out->live;
    out->purged = min_size(clean, rest);
    out->free = rest - out->purged;
    out->cached = out->sent = 0;
}

/* Some of what seemed live is not: at most all. @return bytes */
static inline size_t census_take(size_t *live, size_t bytes)
{
    bytes = min_size(bytes, *live);
    *live -= bytes;
    return bytes;
}

/** The arena is counted: add it to all, and tell of it. */
static inline void census_add(struct mm_census *c,
                              const struct mm_census_arena *a)
{
    c->arenas++;
    c->live += a->live;
    c->cached += a->cached;
    c->sent += a->sent;
    c->free += a->free;
    c->purged += a->purged;
    if (c->arena)
        c->arena(a, c->arg);
}

/** Add the classes of the arena that was counted last to those of all. */
static inline void census_add_classes(struct mm_census *c)
{
    for (unsigned i = 0; i < MM_CENSUS_CLASSES && c->arena_classes; i++) {
        struct mm_census_class *from = &c->arena_classes[i];
        struct mm_census_class *to = &c->classes[i];
        to->slabs += from->slabs;
        to->used += from->used;
        to->free += from->free;
        to->cached += from->cached;
        to->headers += from->headers;
        to->headers_cached += from->headers_cached;
        *from = (struct mm_census_class){0};
    }
}

/** Where the classes of the next arena are to be added. */
static inline struct mm_census_class *census_classes(const struct mm_census *c)
{
    return c->arena_classes ? c->arena_classes : c->classes;
}

/** The stage's only arena, or one without caches. */
static inline void census_arena(struct mm_census *c, const struct arena *a,
                                uint32_t id, const char *state)
{
    struct mm_census_arena one = {.id = id, .state = state};
    arena_census(a, &one, census_classes(c));
    census_add(c, &one);
    census_add_classes(c);
}

#endif
