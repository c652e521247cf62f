/* script.h - a trace made ready for replay by a number of lanes.
 *
 *   trace   0: a 0   1: a 1   0: f 1   0: f 0     two threads, two lanes
 *
 *   lane 0  [a 0     ] [f 1 wait] [f 0     ]      each lane performs its own
 *   lane 1  [a 1 post]                            operations in file order
 *
 * Ids become slots, in which a replay keeps the blocks' addresses. One lane
 * uses a slot again when its block is freed, last one first: the table stays
 * as small as the trace's live blocks, and the replay's own cache misses few.
 * Several lanes get slots apart, each its own lines of cache.
 *
 * Turns: an operation on a block that another lane touched last waits until
 * that lane posts. turn[i] counts the changes of lane that the block had
 * before operation i: wait until the slot's turn == turn[i]; post turn[i] + 1.
 *
 * Invariants
 *   S1 every slot that ops name is < nslots; slot 0 is never written: NULL
 *   S2 ops[i].wait iff the operation before on that block is another lane's;
 *      then, and only then, that operation posts
 *   S3 calloc: size is the count and elem the element's size, never 0
 *   S4 left lists the slots whose last operation, this lane's, left a block */
#ifndef DRIVER_SCRIPT_H
#define DRIVER_SCRIPT_H

#include "driver/trace.h"

#define SCRIPT_AHEAD 8 /* readable operations behind the last: prefetching */

/* In a script, an operation's thread says nothing: its place holds this. */
#define script_post thread

struct script_lane {
    struct trace_op *ops; /* nops, and SCRIPT_AHEAD of zeros */
    uint32_t *turn;       /* nops; NULL with one lane */
    uint32_t *index;      /* nops: index in the trace; NULL: the same */
    size_t nops;
    uint32_t *left; /* S4 */
    size_t nleft;
    size_t slot, nslots; /* several lanes: this one's range of slots */
};

struct script {
    const struct trace *trace;
    unsigned nlanes;
    size_t nslots;
    struct script_lane *lanes;
};

/** @param nlanes  1 .. trace->nthreads; thread t is folded into t % nlanes. */
struct script *script_make(const struct trace *t, unsigned nlanes);
void script_free(struct script *s);

/** Bytes that a malloc, calloc, memalign or realloc of a script asks for. */
static inline size_t script_bytes(const struct trace_op *op)
{
    return op->kind == TRACE_CALLOC ? (size_t)op->size * op->elem : op->size;
}

/** The operation's index in the trace. */
static inline size_t script_index(const struct script_lane *l, size_t i)
{
    return l->index ? l->index[i] : i;
}

#endif
