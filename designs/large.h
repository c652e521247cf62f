/* large.h - requests that are too large for a design's own blocks: one mapping
 * each, straight from memlib.
 *
 *   mapping                              payload, aligned
 *   | not touched ......... | struct large | payload ........... |
 *   |<------------- offset -------------->|<----- usable ------>|
 *
 * The struct stands in the page before the payload, so a block costs one page
 * beside its own; both count in the design's tally. All blocks are in one list,
 * for fini and for contains; its lock is held for a few instructions beside a
 * system call.
 *
 * The last few that were freed are kept as spares, so that a program which
 * frees and allocates in turn does not pay for system calls and page faults.
 *
 * Invariants
 *   L1 self is the payload's address: a free of anything else is noticed
 *   L2 the list holds exactly the live blocks, each once
 *   L3 a spare's self is NULL: it is no block */
#ifndef DESIGNS_LARGE_H
#define DESIGNS_LARGE_H

#include "designs/tally.h"
#include "memlib.h"
#include "mm.h"
#include "mm/util.h"

#include <pthread.h>

#define SPARES 16
#define SPARE_MOST ((size_t)256 << 10) /* bytes of a spare */

struct large {
    struct large *next, *prev;
    size_t offset; /* bytes from the mapping's start to the payload */
    size_t usable; /* bytes from the payload to the mapping's end */
    const void *self;
    bool fresh; /* zero when it was made */
} __attribute__((aligned(64)));

/* Bytes that the design has from memlib: large blocks, and what it adds. */
static struct tally held;

static struct {
    pthread_mutex_t lock;
    struct large *head;
    struct large *spares[SPARES];
    unsigned oldest; /* the spare that is replaced next */
} larges = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* All is written under the lock: the thread that had the addresses before let
 * go of them under it, too, and what the kernel did between is unknown to a
 * checker. */
static void large_link(struct large *l, size_t usable)
{
    pthread_mutex_lock(&larges.lock);
    l->self = l + 1;
    l->usable = usable;
    l->prev = NULL;
    l->next = larges.head;
    if (l->next)
        l->next->prev = l;
    larges.head = l;
    pthread_mutex_unlock(&larges.lock);
}

static void large_unlink(struct large *l)
{
    pthread_mutex_lock(&larges.lock);
    if (l->prev)
        l->prev->next = l->next;
    else
        larges.head = l->next;
    if (l->next)
        l->next->prev = l->prev;
    pthread_mutex_unlock(&larges.lock);
}

static void large_unmap(struct large *l)
{
    char *map = (char *)(l + 1) - l->offset;
    tally_add(&held, -(mem_pagesize() + l->usable));
    mem_unmap(map, l->offset + l->usable);
}

/* ---- spares ---------------------------------------------------------- */

/* @return a spare of these bytes or little more, or NULL */
static struct large *spare_take(size_t usable)
{
    struct large *found = NULL;
    pthread_mutex_lock(&larges.lock);
    for (unsigned i = 0; i < SPARES && !found; i++) {
        struct large *l = larges.spares[i];
        if (l && l->usable >= usable && l->usable - usable <= usable / 8) {
            larges.spares[i] = NULL;
            found = l;
        }
    }
    pthread_mutex_unlock(&larges.lock);
    return found;
}

/* @return what the spare that l becomes displaces, or NULL */
static struct large *spare_put(struct large *l)
{
    l->self = NULL;
    l->fresh = false;
    if (l->usable > SPARE_MOST || l->offset != mem_pagesize())
        return l;
    pthread_mutex_lock(&larges.lock);
    struct large *displaced = larges.spares[larges.oldest];
    larges.spares[larges.oldest] = l;
    larges.oldest = (larges.oldest + 1) % SPARES;
    pthread_mutex_unlock(&larges.lock);
    return displaced;
}

/* ---- blocks ---------------------------------------------------------- */

/* The block at p, which is in none of the design's own. Dies if it is not. */
static struct large *large_at(const void *p)
{
    struct large *l = (struct large *)p - 1;
    if (unlikely((uintptr_t)p & (mem_pagesize() - 1)) || l->self != p)
        mm_die("not a live block: freed twice, or malloc never returned it", p);
    return l;
}

/** @return a block, zero if large_fresh says so; NULL, errno == ENOMEM.
 * @pre align is a power of two; both are at most PTRDIFF_MAX. */
static void *large_malloc(size_t align, size_t size)
{
    size_t page = mem_pagesize(), offset = max_size(page, align);
    size_t usable = round_up(max_size(size, 1), page);
    struct large *l = align <= page ? spare_take(usable) : NULL;
    if (!l) {
        char *map = mem_map(offset + usable, align);
        if (!map)
            return NULL;
        l = (struct large *)(map + offset) - 1;
        *l = (struct large){.offset = offset, .usable = usable, .fresh = true};
        tally_add(&held, page + usable);
    }
    large_link(l, l->usable);
    return l + 1;
}

static void large_free(void *p)
{
    if (mem_side_free(p))
        return;
    struct large *l = large_at(p);
    large_unlink(l);
    l = spare_put(l);
    if (l)
        large_unmap(l);
}

/** Resize; the pages may move, no byte is copied. @return NULL: not so, and p
 * is as it was. @pre 0 < size <= PTRDIFF_MAX */
static void *large_resize(void *p, size_t size)
{
    if (mem_side_usable(p))
        return NULL;
    struct large *l = large_at(p);
    size_t usable = round_up(size, mem_pagesize()), offset = l->offset;
    size_t before = l->usable;
    if (usable == before)
        return p;
    large_unlink(l);
    char *map = mem_remap((char *)p - offset, offset + before, offset + usable);
    if (!map) {
        large_link(l, before);
        return NULL;
    }
    l = (struct large *)(map + offset) - 1;
    tally_add(&held, usable - before);
    large_link(l, usable);
    return l + 1;
}

static size_t large_usable(const void *p)
{
    size_t usable = mem_side_usable(p);
    return usable ? usable : large_at(p)->usable;
}

static bool large_fresh(const void *p)
{
    return large_at(p)->fresh;
}

/** Is [p, p + size) inside one live block? */
static bool large_contains(const void *p, size_t size)
{
    bool found = false;
    pthread_mutex_lock(&larges.lock);
    for (const struct large *l = larges.head; l && !found; l = l->next) {
        size_t at = (uintptr_t)p - (uintptr_t)l->self;
        found = at <= l->usable && size <= l->usable - at;
    }
    pthread_mutex_unlock(&larges.lock);
    return found;
}

/** The design's stats. */
static void held_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = tally_now(&held),
                             .heap_peak = tally_peak(&held)};
}

/** Unmap all; nothing is held any more. @pre quiescent */
static void large_fini(void)
{
    for (struct large *l = larges.head, *next; l; l = next) {
        next = l->next;
        large_unmap(l);
    }
    for (unsigned i = 0; i < SPARES; i++)
        if (larges.spares[i])
            large_unmap(larges.spares[i]);
    memset(larges.spares, 0, sizeof larges.spares);
    larges.head = NULL;
    tally_reset(&held);
}

/** Count what is broken. @pre quiescent */
static size_t large_check(void)
{
    size_t bad = 0;
    const struct large *prev = NULL;
    for (const struct large *l = larges.head; l; prev = l, l = l->next) {
        bad += broken(l->self != l + 1, "L1 self", l, "large block", l->usable);
        bad += broken(l->prev != prev, "L2 list", l, "large block", l->usable);
    }
    return bad;
}

#endif
