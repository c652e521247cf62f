/* pace.h - how fast time passes for memory that is to go back: the more slowly,
 * the more often it was wrong.
 *
 * Time says that memory is not needed only as long as the program gets on.
 * Where it starves, beside others on a busy machine, seconds pass between calls
 * that are microseconds apart elsewhere; and some memory comes and goes by the
 * second. Only the page faults that follow show either. So what went back and
 * was taken again is counted, and forgotten within PACE_PERIODS or so. If that
 * is a quarter of what is resident, time passes more slowly: a fifth as fast,
 * and a sixteenth in the end. With each period that could have ended, it then
 * passes a little faster. All words are hints: relaxed. */
#ifndef MM_PACE_H
#define MM_PACE_H

#include "count.h"
#include "mm/util.h"

#include <stdatomic.h>
#include <time.h>

#define PACE_PERIODS 32

static _Atomic size_t pace_bytes;  /* taken again */
static _Atomic uint32_t pace_slow; /* in 1/PACE_PERIODS; 0: full pace */

/** Milliseconds of the system's coarse clock, which costs no system call. */
static inline uint64_t clock_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/** How many times as slowly time passes. */
static inline uint32_t pace_slowness(void)
{
    return 1 + atomic_load_explicit(&pace_slow, memory_order_relaxed) /
                   PACE_PERIODS;
}

/** Memory of this size had gone back, and was taken again. */
static inline void pace_taken(size_t bytes)
{
    count_rmw();
    atomic_fetch_add_explicit(&pace_bytes, bytes, memory_order_relaxed);
}

/** A period would end at full pace. @return does it end, with this many bytes
 * resident? */
static inline bool pace_end_period(size_t resident)
{
    size_t taken = atomic_load_explicit(&pace_bytes, memory_order_relaxed);
    size_t slow = atomic_load_explicit(&pace_slow, memory_order_relaxed);
    bool wrong = taken > resident / 4;
    slow = wrong ? min_size(4 * (slow + PACE_PERIODS), 15 * PACE_PERIODS)
                 : slow - (slow > 0);
    taken = wrong ? 0 : taken - taken / PACE_PERIODS;
    atomic_store_explicit(&pace_bytes, taken, memory_order_relaxed);
    atomic_store_explicit(&pace_slow, (uint32_t)slow, memory_order_relaxed);
    return slow % pace_slowness() == 0;
}

#endif
