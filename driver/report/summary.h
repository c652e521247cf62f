/* summary.h - figures that are made of several results.
 *
 * A round counts for utilization, and for throughput, unless the weight in
 * its traces' files says that none of them is to (trace.h, weight). In a grade
 * a course's weights (weights.h) say how much it counts. */
#ifndef DRIVER_SUMMARY_H
#define DRIVER_SUMMARY_H

#include "driver/run/result.h"

/* One allocator with one number of threads; a figure not known is 0. */
struct summary {
    bool ran;                /* false: no round could be run */
    bool checked;            /* false: the no-op allocator */
    unsigned replays, valid; /* parts that ran; those in rounds without fault */
    double util, resident;   /* arithmetic means over the rounds */
    double harmonic, arithmetic; /* means of the rounds' operations/second */
    double vs_libc;              /* geometric mean of the rounds' ratios */
    double vs_libc_most; /* the same, each ratio GRADE_PERF_MOST at most */
    double speedup;      /* one thread's time over this time, in all */
};

/** What a trace weighs in means and points: 1 without a course's weights. */
double trace_weight(const struct results *r, unsigned trace);

struct summary summarize_section(const struct results *r,
                                 const struct section *s, unsigned allocator);

/** Operations per second against libc's in the same round; 0: unknown, or
 * both too short to compare (MDRIVER_LEAST_NS). */
double ratio_to_libc(const struct results *r, const struct section *s,
                     unsigned allocator, unsigned round);
/** The same for one part of the round. */
double part_ratio_to_libc(const struct results *r, const struct section *s,
                          unsigned allocator, unsigned round, unsigned part);
/** Time of one thread for the round's replays, one after the other, over the
 * round's time; 0 if -n 1 was not run. */
double round_speedup(const struct results *r, const struct section *s,
                     unsigned allocator, unsigned round);
/** The same for one part, and its own time. */
double part_speedup(const struct results *r, const struct section *s,
                    unsigned allocator, unsigned round, unsigned part);

/** "valid", the name of the fault, "unchecked" (the no-op allocator), "skipped"
 * (single-threaded, not run). */
const char *round_status(const struct round_result *x);
/** The same for one part: "unknown" if a fault in another ended the round. */
const char *part_status(const struct round_result *x, unsigned part);

/** All rounds' histograms of one allocator, in one. */
void sum_latency(const struct section *s, unsigned allocator,
                 struct latency *out);
/** Nanoseconds that the replay itself takes for an operation, measured with
 * the no-op allocator; 0 if it was not run, or not in this section. */
double loop_cost(const struct results *r, const struct section *s);
/** Any fault in any round? */
bool any_fault(const struct results *r);

#endif
