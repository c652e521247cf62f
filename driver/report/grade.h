/* grade.h - points for an allocator; docs/grading.md defines and reasons them.
 *
 *   correctness   GRADE_CORRECT_POINTS, shared among the traces by weight
 *   utilization   GRADE_UTIL_POINTS, linear from GRADE_UTIL_NONE to _FULL
 *   throughput    GRADE_PERF_POINTS, linear in the ratio to libc of this run
 *
 * An allocator with one fault gets nothing for the last two; a peer (peer.h),
 * which has no utilization, gets no grade. With several
 * numbers of threads (-n 1,4) each counts alike, and a single-threaded
 * allocator is graded by -n 1 alone. */
#ifndef DRIVER_GRADE_H
#define DRIVER_GRADE_H

#include "driver/run/result.h"

#include <stdio.h>

struct grade {
    bool graded; /* false: the no-op allocator, or nothing could be run */
    unsigned traces, valid; /* each trace once for each number of threads */
    double util, vs_libc;   /* means over the numbers of threads */
    double correctness, utilization, throughput; /* points */
};

struct grade grade_allocator(const struct results *r, unsigned allocator);

/** Does a section say anything of an allocator? */
bool grade_counts(const struct section *s, unsigned allocator);
/** The fault of a trace in a section: that of the round as a whole, as no one
 * knows how the other parts of a round would have gone that one part ended. */
int grade_trace_fault(const struct section *s, unsigned allocator,
                      unsigned trace);

/** Points from figures: 0 .. GRADE_UTIL_POINTS and 0 .. GRADE_PERF_POINTS. */
double grade_util_points(double util);
double grade_perf_points(double vs_libc);

/** For each allocator that is shown: the points of every trace, the figures
 * and the total; then one line `grade ...` for scripts; last, one line of JSON
 * as Autolab reads it. Its scores are called `correctness`, `utilization` and
 * `throughput`; with several allocators, `NAME.correctness` and so on. */
void grade_print(const struct results *r, FILE *f);

#endif
