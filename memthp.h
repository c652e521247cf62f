/* memthp.h - which pages of the heap the kernel may make huge (transparent huge
 * pages): 2 MiB where pages have 4 KiB.
 *
 *   start        border: THP_FROM huge pages from there
 *     | small ... |  huge  |  huge  | small |  huge  |  huge ... brk |
 *                                       ^ a part of it went back
 *
 * One fault brings a huge page whole: that saves 511 faults, and what was not
 * needed of it is resident, too. So the heap begins with small ones. It has
 * huge ones from where the last one is little beside all before, and only while
 * it grows densely: by small blocks, all of whose pages are written. The kernel
 * is told as pages are mapped, in pieces that end where huge pages do, before
 * anyone touches them: in its mode `always` it would take huge ones everywhere,
 * in `madvise` none. In `never` nothing of this has an effect.
 *
 * Nothing here asks whether pages are resident: mincore is a system call that
 * seccomp's lists leave out, and to read pages may meet the program's mprotect.
 *
 * Memory goes back in whole huge pages. A part of one goes back if it is worth
 * it (THP_SPLIT); it is small pages then, and is to stay so, or khugepaged
 * would make it whole again by and by. It may be huge again once all of it goes
 * back. Each such page that lies alone costs the process two mappings, so there
 * are at most THP_SPLITS.
 *
 * Bits say which are small. A thread that tells the kernel has just mapped the
 * page, or owns all of it, or a part; if a part, it sets the bit first, while
 * nobody can own all. So words need no order (relaxed). A bit that is wrong in
 * a fork's child costs only pages that are huge, or small. */
#ifndef MEMTHP_H
#define MEMTHP_H

#include "config.h"
#include "count.h"
#include "memsys.h"

#include <stdatomic.h>

#define THP_MOST (MEM_WINDOW >> 21) /* huge pages; none is smaller */

static struct {
    size_t small, page;      /* bytes of a page, of a huge one */
    uintptr_t start, border; /* of the heap */
    _Atomic uint64_t bits[THP_MOST / 64 + 1]; /* 1: small pages */
    _Atomic uint32_t nsmall;                  /* bits that are 1 */
    _Atomic size_t regions; /* begun since the last piece was mapped */
    _Atomic size_t sparse;  /* bytes that it grew by for large blocks, since */
} thp;

/* at, down and up to where a page of this size begins. */
static inline uintptr_t page_down(uintptr_t at, size_t page)
{
    return at & ~(uintptr_t)(page - 1);
}

static inline uintptr_t page_up(uintptr_t at, size_t page)
{
    return page_down(at + page - 1, page);
}

static inline enum mem_huge thp_mode(void)
{
    return atomic_load_explicit(&mem_options.huge, memory_order_relaxed);
}

/* The heap will be here. A table of pages has page / 8 entries; a huge page is
 * what one such table leads to. */
static inline void thp_init(char *start, size_t page)
{
    thp.small = page;
    thp.page = page / 8 * page;
    thp.start = (uintptr_t)start;
    thp.border = page_down(thp.start + THP_FROM * thp.page, thp.page);
}

/* ---- bits -------------------------------------------------------------- */

static inline size_t thp_index(uintptr_t at)
{
    return at / thp.page - thp.start / thp.page;
}

static inline bool thp_is_small(uintptr_t at)
{
    size_t i = thp_index(at);
    uint64_t word =
        atomic_load_explicit(&thp.bits[i / 64], memory_order_relaxed);
    return at < thp.border || word >> i % 64 & 1;
}

static inline void thp_set_small(uintptr_t at, bool small)
{
    size_t i = thp_index(at);
    uint64_t bit = (uint64_t)1 << i % 64, old;
    if (at < thp.border || thp_is_small(at) == small)
        return;
    count_rmw();
    old = small ? atomic_fetch_or_explicit(&thp.bits[i / 64], bit,
                                           memory_order_relaxed)
                : atomic_fetch_and_explicit(&thp.bits[i / 64], ~bit,
                                            memory_order_relaxed);
    if (!(old & bit) == small)
        atomic_fetch_add_explicit(&thp.nsmall, small ? 1 : (uint32_t)-1,
                                  memory_order_relaxed);
}

/* ---- growing ----------------------------------------------------------- */

/* errno is kept. */
static inline void thp_tell(uintptr_t from, uintptr_t to, bool small)
{
    int saved = errno;
    sys_madvise((void *)from, to - from,
                small ? MADV_NOHUGEPAGE : MADV_HUGEPAGE);
    errno = saved;
}

/* Raise a count of what has happened since the last piece. */
static inline void thp_note(_Atomic size_t *count, size_t more)
{
    if (thp_mode() != MEM_HUGE_LARGE)
        return;
    count_rmw();
    atomic_fetch_add_explicit(count, more, memory_order_relaxed);
}

static inline size_t thp_noted(_Atomic size_t *count)
{
    count_rmw();
    return atomic_exchange_explicit(count, 0, memory_order_relaxed);
}

/* A piece of so many bytes is mapped. Will almost all of it be used, to judge
 * by the last one? Not if large blocks made the heap grow, of which perhaps
 * only the first bytes are written; nor if regions are short: each ends in a
 * huge page of its own, as the heap does, and the threads of short ones would
 * fault a page at once, and each make it. */
static inline bool thp_is_dense(size_t bytes)
{
    size_t regions = thp_noted(&thp.regions), sparse = thp_noted(&thp.sparse);
    return (regions <= 1 || regions * THP_REGION * thp.page <= bytes) &&
           sparse <= bytes / THP_SPARSE;
}

/* Where a piece is to end, rather than at end. */
static inline char *thp_piece_end(char *end)
{
    uintptr_t at = page_up((uintptr_t)end, thp.page);
    return thp_mode() == MEM_HUGE_LARGE && at > thp.border ? (char *)at : end;
}

/* [from, to) above the border is the caller's: it has just mapped it, or it is
 * free. */
static inline void thp_advise_large(uintptr_t from, uintptr_t to, bool small)
{
    for (uintptr_t at = from; at < to; at = page_down(at, thp.page) + thp.page)
        thp_set_small(at, small);
    thp_tell(from, to, small);
}

/* [first, end) of the heap is mapped: tell the kernel. The heap's first bytes
 * are too few for a huge page. */
static inline void thp_advise(char *first, char *end)
{
    uintptr_t from = (uintptr_t)first, to = (uintptr_t)end, border = to;
    if (thp_mode() == MEM_HUGE_AS_IT_IS || to < thp.start + thp.page)
        return;
    if (thp_mode() == MEM_HUGE_LARGE && thp.border < to)
        border = thp.border > from ? thp.border : from;
    bool dense = thp_is_dense(to - from);
    if (from < border)
        thp_tell(from, border, true);
    if (border < to)
        thp_advise_large(border, to, !dense);
}

/* Is a mapping outside the heap so large that its last huge page is little? */
static inline bool thp_is_large(size_t bytes)
{
    return thp_mode() == MEM_HUGE_LARGE && bytes >= THP_FROM * thp.page;
}

/* A new mapping outside the heap, or one that will be written from its
 * beginning on; all: the bytes beside which one huge page is to be little, its
 * own or more. The kernel is told the same of all of it, not only of whole huge
 * pages: mremap takes a single mapping of the kernel's. */
static inline void thp_advise_block(uintptr_t at, size_t bytes, bool written,
                                    size_t all)
{
    bool never = thp_mode() == MEM_HUGE_NEVER && !written;
    bool large = written && bytes >= 2 * thp.page && thp_is_large(all);
    if (large || (never && bytes >= thp.page))
        thp_tell(at, at + bytes, never);
}

/* ---- going back -------------------------------------------------------- */

/* The pages inside [*first, *end). @return are there any? */
static inline bool pages_inside(uintptr_t *first, uintptr_t *end)
{
    *first = page_up(*first, thp.small);
    *end = page_down(*end, thp.small);
    return *first < *end;
}

/* @return bytes that went. errno is kept */
static inline size_t pages_drop(uintptr_t first, uintptr_t end)
{
    int saved = errno;
    int refused = sys_madvise((void *)first, end - first, MADV_DONTNEED);
    errno = saved;
    return refused ? 0 : end - first;
}

/* Make [p, p + size), the caller's, zero. */
static inline void pages_clear(char *p, size_t size)
{
    uintptr_t first = (uintptr_t)p, end = first + size;
    if (!pages_inside(&first, &end) || !pages_drop(first, end)) {
        memset(p, 0, size);
        return;
    }
    memset(p, 0, first - (uintptr_t)p);
    memset((char *)end, 0, (uintptr_t)p + size - end);
}

/* So many bytes at a place, less than a huge page, are free. @return may they
 * go back by themselves? */
static inline bool thp_split(uintptr_t at, size_t bytes)
{
    if (thp_is_small(at))
        return bytes != 0;
    if (bytes < thp.page / THP_SPLIT)
        return false;
    if (atomic_load_explicit(&thp.nsmall, memory_order_relaxed) < THP_SPLITS) {
        thp_set_small(at, true);
        at = page_down(at, thp.page);
        thp_tell(at, at + thp.page, true);
    }
    return true;
}

/* [first, end), whole huge pages above the border, is free: they may be huge
 * again. */
static inline void thp_join(uintptr_t first, uintptr_t end)
{
    for (uintptr_t at = first; at < end; at += thp.page)
        if (thp_is_small(at)) {
            thp_advise_large(first, end, false);
            return;
        }
}

/* [*first, *end), pages of the heap, is free: leave out at both ends what is
 * not worth a huge page. */
static inline void thp_cut(uintptr_t *first, uintptr_t *end)
{
    uintptr_t up = page_up(*first, thp.page);
    uintptr_t down = page_down(*end, thp.page);
    if (thp_mode() != MEM_HUGE_LARGE || *end <= thp.border)
        return;
    if (up > down) { /* all in one */
        *end = thp_split(*first, *end - *first) ? *end : *first;
        return;
    }
    *first = thp_split(*first, up - *first) ? *first : up;
    *end = thp_split(down, *end - down) ? *end : down;
    thp_join(up > thp.border ? up : thp.border, down);
}

#endif
