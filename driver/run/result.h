/* result.h - what a run of mdriver found: all that reports are made of.
 *
 *   results ─► sections, one for each -n ─► rounds of the plan
 *                                            x allocators ─► parts (traces)
 *
 * The figures are defined in docs/driver.md, "What the figures mean". */
#ifndef DRIVER_RESULT_H
#define DRIVER_RESULT_H

#include "config.h"
#include "driver/base/clock.h"
#include "driver/base/fault.h"
#include "driver/base/latency.h"
#include "driver/trace/plan.h"
#include "driver/trace/trace.h"
#include "mm.h"

/* One trace within a round. */
struct part_result {
    size_t ops;
    struct timing time; /* seconds, first start to last end of its threads */
    struct mm_counts counts; /* of all its threads */
};

/* One round with one allocator. */
struct round_result {
    bool ran; /* false: for one thread only, or nobody to compare it with */
    unsigned counted; /* replays; 0: no --count, or it does not count */
    bool checked;     /* false: never checked (the no-op allocator) */
    int fault;        /* enum fault_kind; FAULT_NONE: every block was valid */
    int fault_part;   /* index of the part that it was found in, or -1 */
    char fault_text[FAULT_TEXT];
    size_t ops;
    size_t peak_payload, peak_heap; /* checked pass, bytes */
    double slack; /* checked pass: bytes beyond those asked for, over these;
                     -1: unknown */
    size_t touched_payload, peak_resident; /* touch pass, bytes */
    struct timing time; /* seconds, first start to last end of all threads */
    double *samples;    /* of time, in the order of the runs: run i of every
                           allocator was timed in the same turn */
    struct part_result *parts; /* as plan->rounds[r].parts */
    struct latency *latency;   /* NULL without --latency */
};

/* One number of threads. */
struct section {
    unsigned threads;
    struct plan *plan;
    struct round_result *rounds; /* see result_round */
};

struct results {
    struct trace **traces;
    unsigned ntraces;
    const double *weights; /* of each trace in means; NULL: each 1 */
    const struct mm_allocator **allocators; /* libc is among them */
    unsigned *faults;                       /* of each allocator, so far */
    const char **open; /* of each: how it was not isolated; NULL: it was, or it
                          is none that was handed in */
    bool *shown; /* of each allocator: false: only compared with, or no-op */
    unsigned nallocators;
    unsigned libc; /* index of the reference */
    struct section *sections;
    unsigned nsections;
    struct ticker ticker; /* of the histograms; zero without --latency */
};

/** The result of allocator a in round r. */
static inline struct round_result *result_round(const struct section *s,
                                                unsigned a, unsigned r)
{
    return &s->rounds[a * s->plan->nrounds + r];
}

/** Ran, was checked, and no fault was found. */
static inline bool result_valid(const struct round_result *r)
{
    return r->ran && r->checked && r->fault == FAULT_NONE;
}

/** Peak live payload over peak heap; 0 if unknown. */
static inline double result_util(const struct round_result *r)
{
    return r->peak_heap ? (double)r->peak_payload / (double)r->peak_heap : 0;
}

/* Bytes written below which resident over written says nothing: one page. */
#define RESULT_LEAST_WRITTEN 4096

/** Peak resident bytes over peak payload; 0 if unknown, or less was written
 * than a page holds. */
static inline double result_resident(const struct round_result *r)
{
    return r->touched_payload >= RESULT_LEAST_WRITTEN
               ? (double)r->peak_resident / (double)r->touched_payload
               : 0;
}

/** Operations per second; 0 if not timed, or too short to be. */
static inline double result_speed(size_t ops, const struct timing *t)
{
    return t->median * 1e9 >= MDRIVER_LEAST_NS ? (double)ops / t->median : 0;
}

#endif
