/* child_inside.h - what a child knows; for driver/child*.c only. */
#ifndef DRIVER_CHILD_INSIDE_H
#define DRIVER_CHILD_INSIDE_H

#include "driver/base/team.h"
#include "driver/run/child.h"
#include "driver/run/inspect.h"
#include "driver/run/resident.h"

#include <pthread.h>

struct child {
    const struct job *job;
    struct mm_allocator table; /* of one that was handed in */
    struct mm_allocator own;   /* as account_open gave it */
    const struct mm_allocator *a;
    bool stranger; /* handed in */
    bool ours;     /* has its memory from memlib */
    struct shared *shared;
    struct team *team;
    struct script **scripts; /* of each part */
    unsigned *part;          /* of each thread */
    struct lane *lanes;      /* of each thread */
    struct oracle *oracle;
    struct oracle_block **blocks; /* of each part */
    struct resident resident;
    size_t resident_before; /* bytes, before init */
    struct inspection *inspection;
    unsigned leg; /* of the inspection */
    bool timed;
    pthread_mutex_t turn; /* -d 2: one operation at a time */
};

static inline void set_phase(struct child *c, enum phase phase)
{
    atomic_store_explicit(&c->shared->phase, phase, memory_order_relaxed);
}

/* ---- child_pass.c: the passes without the oracle --------------------- */

/** A number that no allocator knows. */
uint64_t child_random(void);
void child_touch(struct child *c);
/** One timed replay; see inspect.h for what may come before or after it. */
void child_time(struct child *c);
void child_count(struct child *c);
void child_latency(struct child *c);
/** A replay that is like a timed one to the allocator, with looks at it. */
void child_inspect(struct child *c);

#endif
