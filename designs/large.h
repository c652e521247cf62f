/* large.h - requests that are too large for a design's own blocks: each is a
 * mapping of its own, in the table of mm/front/huge.h.
 *
 *   design_free(p) ─► p is none of its own blocks ─► huge.h: a mapping?
 *                                                ─► memside.h: a hook's block?
 *                                                ─► neither: a line, and abort
 *
 * Nothing of a block lies beside it, so what malloc never returned, and what
 * was freed and is mapped no more, is found out without a look at it. There is
 * no lock. A design whose own blocks end far below 4 MiB sets LARGE_LEAST
 * before it includes this file: the table has a word for each page then. */
#ifndef DESIGNS_LARGE_H
#define DESIGNS_LARGE_H

#include "designs/tally.h"
#include "memlib.h"
#include "mm.h"
#include "mm/util.h"

/* Bytes that the design has from memlib: large blocks, and what it adds. */
static struct tally held;

#define HUGE_MAPPED(more) tally_add(&held, more)
#ifdef LARGE_LEAST
#define SLOT_LOG2 12
#define NODES 3
#define NODE_LOG2 9 /* 4 KiB for 2 MiB of addresses */
#define HUGE_LEAST LARGE_LEAST
/* Smaller blocks have many more sizes. 4, 16, 64 of them: bucket is 0.33, 0.40,
 * 0.51 times as fast as libc over the traces, at 1.30, 1.29, 1.32 times the
 * written bytes resident. */
#define SPARES 64
#else
#define SLOT_LOG2 22
#define NODES 1
#define NODE_LOG2 12
#define HUGE_LEAST (HUGE_OVER + 1)
#define SPARES 4
#endif

#include "mm/front/huge.h"

/* The last that this thread was given, if it is known to be zero. */
static _Thread_local const void *large_zero;

/** @return a block, zero if large_fresh says so; NULL, errno == ENOMEM.
 * @pre align is a power of two; both are at most PTRDIFF_MAX. */
static void *large_malloc(size_t align, size_t size)
{
    void *p = huge_spare(align, size);
    large_zero = NULL;
    if (!p)
        large_zero = p = huge_calloc(align, size);
    return p;
}

static bool large_fresh(const void *p)
{
    return large_zero == p;
}

/* p is no block of any kind; if_freed: it was one. */
static cold_noinline _Noreturn void large_die(const void *p,
                                              const char *if_freed)
{
    mm_die(huge_freed(p)
               ? if_freed
               : "not a live block: freed twice, or malloc never returned it",
           p);
}

static cold_noinline void large_free(void *p)
{
    if (!huge_free(p) && !mem_side_free(p))
        large_die(p, "double free of a large block");
}

/** Resize; the pages may move, no byte is copied. @return NULL: not so, and p
 * is as it was. @pre 0 < size <= PTRDIFF_MAX */
static void *large_resize(void *p, size_t size)
{
    if (mem_side_usable(p))
        return NULL;
    if (!huge_usable(p))
        large_die(p, "realloc of a large block that is free");
    return huge_resize(p, size);
}

static size_t large_usable(const void *p)
{
    size_t bytes = huge_usable(p);
    if (!bytes && !(bytes = mem_side_usable(p)))
        large_die(p, "size of a large block that is free");
    return bytes;
}

/** The design's stats. */
static inline void held_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = tally_now(&held),
                             .heap_peak = tally_peak(&held),
                             .nmapped = huge_blocks(),
                             .mapped = huge_used()};
}

/** Unmap all; nothing is held any more. @pre quiescent */
static void large_fini(void)
{
    huge_fini();
    tally_reset(&held);
}

#endif
