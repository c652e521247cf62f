/* plan.h - which thread replays which trace, in which round.
 *
 *   traces A B C(3 threads) D E, 4 threads:
 *
 *            thread 0   1   2   3
 *   round 0       [ A | B | D | E ]      a part: one replay of one trace, by
 *   round 1       [ C . C . C | - ]      `lanes` consecutive threads
 *
 *   traces A B, 4 threads:               --same, traces A B, 4 threads:
 *   round 0       [ A | B | A | B ]      round 0       [ A | A | A | A ]
 *                                        round 1       [ B | B | B | B ]
 * Rules
 *   P1 a trace of K threads takes min(K, N) lanes; each round takes, in order,
 *      every trace not yet had that still fits. So with traces of one thread
 *      only, thread i of round r has trace r * N + i
 *   P2 each trace is had at least once; if one round holds them all, threads
 *      left over start again with the first, each trace that still fits
 *   P3 --same: a round for each trace, with as many copies as fit, at least 1
 *   P4 the parts of a round use threads 0 .. nthreads - 1, without a gap */
#ifndef DRIVER_PLAN_H
#define DRIVER_PLAN_H

#include <stdbool.h>

struct part {
    unsigned trace; /* index into the traces */
    unsigned copy;  /* 0, 1, ...: which replay of this trace in the round */
    unsigned first; /* first driver thread */
    unsigned lanes; /* number of driver threads */
};

struct round {
    struct part *parts;
    unsigned nparts, nthreads;
};

struct plan {
    unsigned threads; /* N as asked for */
    bool same;
    unsigned nrounds;
    struct round *rounds;
};

/** @param trace_threads  threads of each trace, at least 1 each.
 *  @param threads        N, 1 .. MDRIVER_MAX_THREADS. */
struct plan *plan_make(const unsigned *trace_threads, unsigned ntraces,
                       unsigned threads, bool same);
void plan_free(struct plan *p);
/** The part that a driver thread replays. NULL: none, as for THREAD_NONE. */
const struct part *plan_part_of(const struct round *r, unsigned thread);

#endif
