/* scene_run.h - --watch: a heap to be watched, as a page or on the terminal. */
#ifndef DRIVER_SCENE_RUN_H
#define DRIVER_SCENE_RUN_H

#include "driver/run/options.h"
#include "driver/trace/trace.h"

#include <stdio.h>

/** Replay the trace with each allocator in a process of its own. A fault is one
 * line on stderr; the page opens at it.
 * @param page  where the page goes; NULL: draw on standard output, live
 * @return EXIT_SUCCESS or EXIT_FAULT. */
int scene_run(const struct options *o, const struct trace *t, FILE *page);

#endif
