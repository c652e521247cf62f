/* repeat.h - in the parent: does an allocator place blocks where it placed them
 * when it was checked, now that it is not?
 *
 * Compared is what must be alike: two replays by one thread, each the first on
 * a new heap (trail.h). If they differ, chance may be why: an allocator may
 * look at addresses, at the clock, or draw lots. So both are repeated, each in
 * a process of its own whose memory lies elsewhere:
 *
 *   checked     a   a   a       the same each time,
 *   unchecked   b   .   .       and an unchecked one never: that is a fault
 *
 * If one checked replay differs from the others, or one unchecked is like them,
 * it is chance, and nothing is said. Later replays are on a heap that others
 * have scattered: there only its size is compared. */
#ifndef DRIVER_REPEAT_H
#define DRIVER_REPEAT_H

#include "driver/run/watch.h"

/** @param checked, touched  of the two passes of this job.
 * @return false: a fault stands in *fault. */
bool repeat_alike(const struct job *job, const struct limits *limits,
                  const struct trail *checked, const struct trail *touched,
                  struct fault *fault);

#endif
