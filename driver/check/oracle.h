/* oracle.h - does every operation of a trace through an allocator, and checks
 * it.
 *
 * For each live block the oracle knows who made it, where it lies and what
 * its bytes must be. A shadow map over the whole address space (shadow.h)
 * holds which live block each 8 bytes belong to: a block that overlaps
 * another live block of any thread is found by the operation that made it.
 *
 *   address  ...|   block 7   |  free  | block 9 |...
 *   shadow      | 7 | 7 | 7 | 7 | 0 | 0 | 9 | 9 |      claimed by CAS from 0
 *
 * Checked at each operation: not NULL, alignment (16, or what memalign asked;
 * mm.h's small_align), inside the allocator's heap, usable_size >= size, no
 * overlap of the usable bytes, calloc's zeros, and at free and realloc that the
 * payload still holds the pattern that only this block and thread would have
 * written; realloc keeps the first min(old, new) bytes. All threads may work at
 * once.
 *
 * Not a fault: NULL for a request of more than half of the machine's memory;
 * later operations on that id meet no block, or the old one. A realloc to size
 * 0 frees: NULL is right, and another block is freed at once. */
#ifndef DRIVER_ORACLE_H
#define DRIVER_ORACLE_H

#include "driver/base/fault.h"
#include "driver/trace/trace.h"
#include "mm.h"

/* One operation, as a message must name it. */
struct oracle_where {
    const struct trace *trace;
    size_t op;       /* index into trace->ops */
    unsigned thread; /* driver thread that performs it */
};

struct oracle;       /* one allocator under test */
struct oracle_block; /* what is known of one id of one replay of a trace */

/** @param level  0: no checks but NULL; 1: all of the above; 2: also
 *                allocator->check after each operation (one thread only).
 *  @param fault  where the first fault goes. */
struct oracle *oracle_new(const struct mm_allocator *a, int level,
                          struct fault *fault);
void oracle_free(struct oracle *o);

/** Begin one replay of a trace, by one thread or many; several replays of the
 * same trace may run at once, each with what its own oracle_begin gave.
 * @return its blocks, none live; oracle_end gives them back. */
struct oracle_block *oracle_begin(struct oracle *o, const struct trace *t);
/** Perform where->trace->ops[where->op] and check it. Operations on one id
 * must not run at once (trace.h, T5).
 * @return false once a fault stands in *fault: the thread should stop. */
bool oracle_op(struct oracle *o, const struct oracle_where *where,
               struct oracle_block *blocks);
/** Check and free the blocks that the trace leaves live, and end the replay.
 * @param thread  the driver thread that calls, when all others are done.
 * @return as oracle_op. Call it after a fault too: then it only cleans up. */
bool oracle_end(struct oracle *o, const struct trace *t, unsigned thread,
                struct oracle_block *blocks);

/* Where a live block lies. */
struct oracle_place {
    uintptr_t at;
    size_t size, usable; /* bytes asked for, bytes that may be used */
};

/** Where the block of an id lies. @pre no operation on it is going on.
 * @return false: it has none, and *out is as it was. */
bool oracle_place(const struct oracle_block *blocks, size_t id,
                  struct oracle_place *out);

/** The highest sum of live payload bytes of all threads so far: exact. */
size_t oracle_peak_payload(const struct oracle *o);
/** The highest heap bytes seen: the allocator's own heap_peak if it reports
 * one, else the highest sample of its stats (meter.h). */
size_t oracle_peak_heap(struct oracle *o);
/** Bytes that all blocks handed out so far could hold beyond what was asked
 * for, over those asked for; -1 at level 0, which asks for neither. */
double oracle_slack(const struct oracle *o);

#endif
