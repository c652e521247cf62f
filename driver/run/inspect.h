/* inspect.h - looks at the blocks in the middle of a replay as those timed.
 *
 * The checked pass is another loop than the timed one, and comes first: an
 * allocator could be right in that one only. So now and then a replay by the
 * timed loop itself is stopped twice, at operations that nobody knows before:
 *
 *   |---- replay ----| look, fill |---- replay ----| look |---- replay ----|
 *                  first                         second
 *
 * A look takes all live blocks: aligned, inside the heap, apart from others,
 * each with the byte that its operation wrote. At the first look some are
 * filled with a pattern, which must still be there at the second, as far as
 * realloc was to keep it. No lane is at work meanwhile.
 *
 * Where a lane stops: at its first operation that stands behind the cut in the
 * trace's file. Operations wait for earlier ones only, so that no lane waits
 * for one that has stopped. */
#ifndef DRIVER_INSPECT_H
#define DRIVER_INSPECT_H

#include "driver/run/replay.h"
#include "driver/trace/plan.h"

struct inspection;

/** @param a  as account_open gave it.
 *  @param lanes  of all threads; their ops are not performed yet. */
struct inspection *inspect_new(const struct mm_allocator *a,
                               const struct round *round, struct lane *lanes,
                               uint64_t seed);
/** Where lane `thread` stops next, and where it begins.
 * @param leg  0: the first cut; 1: the second; 2: the end. */
size_t inspect_from(const struct inspection *x, unsigned thread, unsigned leg);
size_t inspect_to(const struct inspection *x, unsigned thread, unsigned leg);
/** Look at all blocks, after leg 0 and leg 1. @return false: a fault stands. */
bool inspect_look(struct inspection *x, unsigned leg);
void inspect_free(struct inspection *x);

#endif
