/* resident.h - the touch pass: how much memory the system had to give.
 *
 * A replay that writes every byte of every block once, with no oracle beside
 * it, and reads the process' resident memory while it runs: the same for any
 * allocator, whatever it says of itself. Only anonymous memory counts: the
 * pages of programs and libraries are not the allocator's. Of a huge block the
 * first 64 MiB are written and counted. Read
 *   - when the live payload reaches a new height, in steps, and its peak;
 *   - at regular distances in between, and at the end. */
#ifndef DRIVER_RESIDENT_H
#define DRIVER_RESIDENT_H

#include "driver/run/replay.h"

struct resident {
    _Atomic size_t live, peak_live; /* payload bytes of all threads */
    _Atomic size_t next;            /* read again at this much payload */
    size_t expected; /* the payload's peak, if the threads run one by one */
    size_t base;     /* resident bytes before: the driver's own */
    _Atomic size_t peak;
    unsigned lanes;
};

/** Anonymous bytes of this process, resident or swapped out; 0 if the system
 * does not say. */
size_t resident_now(void);
/** @param expected  sum of the traces' peaks, in bytes. */
void resident_begin(struct resident *r, size_t expected, unsigned lanes);
/** @return as replay_timed. */
bool resident_touch(struct lane *lane, struct resident *r);
/** Can this many resident bytes hold all that were written? @param resident 0:
 * unknown. */
bool resident_covers(size_t resident, size_t written);
/** Peak above the base, in bytes. */
size_t resident_peak(struct resident *r);

#endif
