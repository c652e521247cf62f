/* heapmap_run.h - --heapmap: replay for pictures instead of figures. */
#ifndef DRIVER_HEAPMAP_RUN_H
#define DRIVER_HEAPMAP_RUN_H

#include "driver/run/options.h"
#include "driver/trace/trace.h"

#include <stdio.h>

/** Replay each trace with each allocator, by one thread, in file order and
 * with every block checked, and write the maps. Each works in a process of its
 * own; a fault is one line on stderr, and the others' maps still come.
 * @return EXIT_SUCCESS or EXIT_FAULT. */
int heapmap_run(const struct options *o, struct trace **traces, FILE *csv);

#endif
