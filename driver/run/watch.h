/* watch.h - what the parent sees of a child that is at work: do its threads get
 * on, and how much time and memory does it take?
 *
 * Looks are counted, not seconds: when all of us were stopped for a while, that
 * is no hang. Time is the child's own processor time for the same reason; the
 * clock counts only where a pass has taken many times as long. */
#ifndef DRIVER_WATCH_H
#define DRIVER_WATCH_H

#include "driver/run/child.h"

#include <sys/types.h>

#define WATCH_MS 50 /* how often the parent looks */

struct limits {
    unsigned still;   /* seconds without a finished operation: a hang */
    unsigned seconds; /* of processor time, each thread, one pass; 0: none */
    size_t memory;    /* resident bytes; 0: no limit */
};

/* What was seen of a thread. */
struct seen {
    uint64_t op;
    uint32_t state;
    uint64_t since_ns; /* when it last changed */
};

struct watch {
    const struct job *job;
    struct shared *shared;
    struct limits limits;
    pid_t pid;
    uint64_t began_ns; /* of the pass, by the clock */
    double began_cpu;  /* seconds that the child had taken before */
    uint64_t still;    /* looks since anything moved */
    int phase;
    size_t memory; /* at the last look, bytes */
    struct seen seen[MDRIVER_MAX_THREADS];
};

/** A pass begins. */
void watch_begin(struct watch *w);
/** Seconds of processor time since. */
double watch_took(const struct watch *w);
/** Look once. @return FAULT_NONE, FAULT_HANG, FAULT_SLOW or FAULT_MEMORY. */
enum fault_kind watch_look(struct watch *w);
/** Threads that stand behind one that holds a lock stand still later than it:
 * the one that has stood longest; THREAD_NONE: none is at an operation. */
unsigned watch_longest_still(const struct watch *w);
/** Threads that are at an operation. */
unsigned watch_busy(const struct watch *w);

#endif
