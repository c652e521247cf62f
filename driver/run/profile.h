/* profile.h - a replay in this process, for tools that watch one from outside.
 *
 * No child, no check, no clock: each trace is replayed by one thread, once to
 * warm up, and once more in a function of its own, profile_counted, that such a
 * tool can be told to look at alone:
 *
 *   valgrind --tool=callgrind --toggle-collect=profile_counted \
 *       ./mdriver --once -f x.trace -a arena
 *
 * An allocator that is a library is preloaded, and then called libc. */
#ifndef DRIVER_PROFILE_H
#define DRIVER_PROFILE_H

#include "driver/run/options.h"
#include "driver/run/replay.h"

/** @return the exit status. */
int profile_run(const struct options *o, struct trace *const *traces);
/** The replay that counts. @return as replay_timed. */
bool profile_counted(struct lane *lane);

#endif
