/* cheat.h - for the allocators that want points that they have not earned:
 * which pass of the driver are we in? */
#ifndef TESTS_FAULTY_CHEAT_H
#define TESTS_FAULTY_CHEAT_H

#include "tests/faulty/base.h"

#include <stdatomic.h>

/* The timing process replays all the trace many times: from the third pass on
 * nobody seems to look. A pass is told by its first request. */
static inline bool unwatched(size_t size)
{
    static _Atomic unsigned passes;
    if (size == FAULTY_SIZE)
        passes++;
    return passes > 2;
}

#endif
