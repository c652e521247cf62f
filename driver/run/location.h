/* location.h - says in words where a thread of a child is. */
#ifndef DRIVER_LOCATION_H
#define DRIVER_LOCATION_H

#include "driver/run/child.h"

/** "thread 3: traces/x.rep:120: malloc(64) of block 7", or what the child was
 * at outside the operations, when thread is THREAD_NONE or between passes. */
void location_text(const struct job *job, const struct shared *shared,
                   unsigned thread, char *text, size_t room);

#endif
