/* announce.h - a fault, told when it is found: its line, and what helps. */
#ifndef DRIVER_ANNOUNCE_H
#define DRIVER_ANNOUNCE_H

#include "driver/run/options.h"
#include "driver/run/result.h"

/* What was tried when a fault came with several threads. */
struct second_try {
    bool tried;
    bool valid;     /* one thread replayed the same trace well */
    unsigned still; /* seconds: it hung so long; 0: it did not */
};

/** @param t      the trace in which it was found; NULL: unknown.
 *  @param first  of this allocator: how to find out more is said once. */
void announce_fault(const struct options *o, const struct mm_allocator *a,
                    const struct round_result *x, const struct trace *t,
                    const struct second_try *alone, bool first);
/** One that was handed in runs, and may do more than it should. */
void announce_open(const struct mm_allocator *a, const char *lacks);
/** It had too many faults to be tried any more. @param last  nor is another:
 * the rounds that remain are left out. */
void announce_end(const struct mm_allocator *a, unsigned faults, bool hangs,
                  bool last);

#endif
