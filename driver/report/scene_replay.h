/* scene_replay.h - replays a trace for --watch, in a process of its own, and
 * shows the heap at every moment that is wanted.
 *
 * Operations are done in file order, one at a time; those of the trace's thread
 * i by a thread of its own, so that its caches and arenas are as in a program.
 *
 *   thread 0   a 0 64 ─┐                 ┌► f 2      one holds the lock and
 *   thread 1           └► c 2 8, a 1 9 ──┘           wakes whose turn is next
 */
#ifndef DRIVER_SCENE_REPLAY_H
#define DRIVER_SCENE_REPLAY_H

#include "driver/base/fault.h"
#include "driver/report/scene.h"
#include "driver/trace/trace.h"

#define SCENE_MARKS 8
#define SCENE_NEVER SIZE_MAX

/* In memory that the parent shares, for what the child cannot tell when it is
 * dead; starts as zeros. */
struct scene_shared {
    _Atomic size_t op;    /* that is being done; an index into trace->ops */
    _Atomic size_t shown; /* operations before the last moment that was shown */
    uintptr_t base;       /* that printed addresses count from; 0: none yet */
    struct fault fault;
    unsigned nmarks; /* where the fault's block is, and what it clashes with */
    struct scene_piece marks[SCENE_MARKS];
};

/* The heap after some operations. */
struct scene_moment {
    struct scene *scene;
    const struct scene_piece *pieces;
    size_t n;
    size_t ops, payload, heap; /* done; bytes; heap 0: not known */
};

struct scene_plan {
    const struct mm_allocator *a;
    const struct trace *trace;
    size_t moments;    /* so many, evenly; or each operation */
    size_t dense_from; /* from here on each operation; SCENE_NEVER */
    int level;         /* of the oracle */
    unsigned seconds;  /* between two moments; more is a hang */
    struct scene_shared *shared;
    void (*show)(void *arg, const struct scene_moment *moment);
    void *arg;
};

/** Replay, and show each moment. A crash or a hang ends the process.
 * @return false: a fault stands in the shared one */
bool scene_replay(const struct scene_plan *plan);

#endif
