/* weights.h - how much each trace counts in a grade, read from a file:
 *
 *     # name        weight
 *     gen-binary    2
 *     rec-jq-filter 0.5
 *
 * A trace that no line names counts 1; a line for a trace that is not replayed
 * says nothing. docs/grading.md tells what is weighed. */
#ifndef DRIVER_WEIGHTS_H
#define DRIVER_WEIGHTS_H

#include "driver/trace/trace.h"

#define WEIGHT_MOST 1000.0

/** @param err,errsize  on failure one line without newline: `path:line: what
 *         was found, what was expected`.
 *  @return of each trace, from driver_mem_alloc; NULL on failure: the file
 *          cannot be read, has a bad line, or leaves nothing above 0 */
double *weights_read(const char *path, struct trace **traces, unsigned ntraces,
                     char *err, size_t errsize);

#endif
