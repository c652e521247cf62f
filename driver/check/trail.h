/* trail.h - where the blocks of a replay lay, one after the other, as a few
 * numbers: to compare two replays in two processes.
 *
 *   operation   0 . . . . k . . . . . 2k . . . .         n - 1
 *   mark                  0            1       ...        63
 *               a sum over all places up to there
 *
 * One thread on a new heap makes the same calls in the checked pass and in the
 * first replay that is not checked. So an allocator that does not look at the
 * clock or at addresses gives the same places, counted from the heap's start;
 * of a block in a mapping only the place in its page is counted. */
#ifndef DRIVER_TRAIL_H
#define DRIVER_TRAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAIL_MARKS 64

struct trail {
    uint64_t sum;
    uint64_t mark[TRAIL_MARKS]; /* 0: no operation fell there */
    bool apart; /* the calls were not the checked pass's: comparable to none */
};

/** Operation i of n left its block at p; NULL: it has none. */
void trail_note(struct trail *t, size_t i, size_t n, const void *p);
/** Do two differ? @return the first mark that does; TRAIL_MARKS: none, or they
 * cannot be compared */
unsigned trail_fork(const struct trail *a, const struct trail *b);
/** The first operation of n behind a mark. */
static inline size_t trail_from(unsigned mark, size_t n)
{
    return (mark * n + TRAIL_MARKS - 1) / TRAIL_MARKS;
}

#endif
