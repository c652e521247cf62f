/* novice.h - a thread must earn an arena and a cache of its own, once there
 * are many.
 *
 *   a thread's first calls    AT_ONCE threads and fewer: its own, at once
 *                             more: NOVICE_CALLS from an arena that it borrows
 *                             for each, and then its own
 *
 * What a thread has of its own is some KiB, and a process with thousands of
 * threads that sleep on ten blocks each pays that for nothing. A call with a
 * borrowed arena costs a few hundred instructions more. To begin with an arena
 * of one's own and to leave it again costs as much as NOVICE_CALLS such calls.
 *
 * Novices' blocks lie side by side in one arena. So that no two threads write
 * to one cache line, each has lines of its own. */
#ifndef MM_FRONT_NOVICE_H
#define MM_FRONT_NOVICE_H

#include "config.h"
#include "mm/engine/block.h"

#define AT_ONCE 32
#define NOVICE_CALLS 32
#define NOVICE_LINE ((size_t)CACHE_LINE)

static __thread unsigned novice_calls; /* so far; at most NOVICE_CALLS */

/** This thread has no shard yet: is it to borrow one for this call?
 * @param nothers  threads that have, or had */
static inline bool is_novice(size_t nothers)
{
    return nothers >= AT_ONCE && novice_calls < NOVICE_CALLS &&
           ++novice_calls <= NOVICE_CALLS;
}

/** Bytes to ask for instead of size, so that a payload which begins a cache
 * line shares none with the next block's payload: it fills its last line but
 * for the next block's header. */
static inline size_t novice_size(size_t size)
{
    return round_up(size + HEADER_SIZE, NOVICE_LINE) - HEADER_SIZE;
}

#endif
