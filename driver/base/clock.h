/* clock.h - reading the clock, and what to make of repeated readings.
 *
 * Two clocks: CLOCK_MONOTONIC for whole replays (a thread's CPU clock would
 * hide what it waits for locks), and the cheapest counter of the machine for
 * single operations (x86: the TSC if it ticks at a constant rate). */
#ifndef DRIVER_CLOCK_H
#define DRIVER_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

/** Nanoseconds of CLOCK_MONOTONIC. */
uint64_t clock_ns(void);

/** What a series of equal runs took; all in the unit of the samples. */
struct timing {
    double median;
    double best;
    double spread; /* distance of the quartiles, as a fraction of the median */
    unsigned runs; /* 0: never ran, the others are 0 too */
};

/** Do the k smallest of n samples lie within the fraction eps of each other? */
bool clock_agree(const double *samples, size_t n, size_t k, double eps);
/** Sum up n samples; their order does not matter. */
struct timing clock_summarize(const double *samples, size_t n);

/* A counter for single operations. */
struct ticker {
    bool tsc;        /* false: a tick is a nanosecond of clock_ns */
    double ns;       /* nanoseconds per tick */
    double overhead; /* nanoseconds between two readings with nothing between */
};

/** Find the best counter and measure it. Takes about 20 ms. */
struct ticker ticker_calibrate(void);

static inline uint64_t ticker_read(const struct ticker *t)
{
#if defined(__x86_64__)
    if (t->tsc) {
        _mm_lfence(); /* what came before is done, what follows not begun */
        uint64_t now = __rdtsc();
        _mm_lfence();
        return now;
    }
#endif
    (void)t;
    return clock_ns();
}

#endif
