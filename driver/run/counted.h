/* counted.h - a replay in which the allocator counts how often threads meet. */
#ifndef DRIVER_COUNTED_H
#define DRIVER_COUNTED_H

#include "driver/run/replay.h"
#include "driver/run/result.h"

/** Replay; what this thread counted meanwhile is added to lane->mark.
 * @pre the allocator counts. @return as replay_timed */
bool counted_replay(struct lane *lane);
/** The sum over the marks of n threads. */
struct mm_counts counted_sum(const struct mark *marks, unsigned n);

#endif
