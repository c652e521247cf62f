/* script.h - a trace made ready for replay by a number of lanes.
 *
 *   trace   0: a 0   1: r 0   0: a 1   0: f 0   0: f 1      two threads
 *
 *   lane 0  [a 0 post]     [a 1     ]  [f 0 wait]  [f 1     ]    two lanes:
 *            slot 1  │      slot 1      slot 2 ▲    slot 1       each performs
 *            entry 8 ▼                         │ entry 0         its own, in
 *   lane 1          [r 0 wait, post] ──────────┘                 file order
 *                    slot 1
 *
 * Ids become slots, in which a replay keeps the blocks' addresses. Each lane
 * has slots of its own, and uses one again when its block is freed or handed
 * to another lane, last one first: its table stays as small as the blocks that
 * it holds at once, and the replay's own cache misses few.
 *
 * Hand-overs: an operation on a block that another lane touched last waits
 * until that lane posts it, in an entry that is written once and read once in
 * a replay. A malloc that waits makes the id's next block: what it is handed
 * is its turn only. A single lane is the case without hand-overs.
 *
 *   entries  | 1 → 0: x x x . . . . . | 0 → 1: x x x x x x x x | x . . .
 *              ^ those of two lanes, as the one that waits comes to them; they
 *                share no line of cache with others
 *
 * Invariants
 *   S1 every slot that a lane's ops name is < its nslots; slot 0 is never
 *      written: NULL
 *   S2 ops[i].wait iff the operation before on that block is another lane's;
 *      then, and only then, that operation posts. The k-th operation of a lane
 *      that waits reads entry in[k], the k-th that posts writes out[k]; an
 *      entry < nhands is in one in and one out, or fills a line, in none
 *   S3 calloc: size is the count and elem the element's size, never 0
 *   S4 left lists the slots of blocks that no operation frees or posts
 *   S5 a slot is a block's from the operation that makes or waits for it to
 *      the one that frees or posts it, and never two blocks' at once */
#ifndef DRIVER_SCRIPT_H
#define DRIVER_SCRIPT_H

#include "driver/trace/trace.h"

#define SCRIPT_AHEAD 8 /* readable operations behind the last: prefetching */
#define SCRIPT_LINE 8  /* entries in a line of cache */

/* In a script, an operation's thread says nothing: its place holds this. */
#define script_post thread

struct script_lane {
    struct trace_op *ops; /* nops, and SCRIPT_AHEAD of zeros */
    uint32_t *index;      /* nops: index in the trace; NULL: the same */
    size_t nops, nslots;
    uint32_t *in, *out; /* S2 */
    size_t nin, nout;
    uint32_t *left; /* S4 */
    size_t nleft;
};

struct script {
    const struct trace *trace;
    unsigned nlanes;
    size_t nhands; /* entries, those that only fill a line included */
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
