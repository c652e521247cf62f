/* oracle_inside.h - the oracle's own structures; for driver/oracle*.c only.
 *
 * What is kept of each id of each replay of a trace:
 *
 *   replay | base = 100 | block of id 0 | id 1 | id 2 | ...
 *                         key 100         101    102        in the shadow
 *
 * An id has at most one live block, so base + id names a block for the shadow
 * map, and a key that clashes leads back to its replay, id, line and thread.
 *
 * Invariants
 *   O1 a block's usable bytes are claimed from after the allocator gave them
 *      until before it may have them back: another thread may get them at once
 *   O2 its payload holds the pattern of its seed whenever no operation on it
 *      is going on
 *   O3 the meter's payload is the sum of size over live blocks
 *   O4 replays hold disjoint ranges of keys while they last */
#ifndef DRIVER_ORACLE_INSIDE_H
#define DRIVER_ORACLE_INSIDE_H

#include "driver/check/meter.h"
#include "driver/check/oracle.h"

#include <pthread.h>
#include <stdatomic.h>

/* Written by the thread whose operation it is; another thread reads it when it
 * clashes with this block and must name it. Hence atomic, and relaxed. */
struct oracle_block {
    _Atomic(unsigned char *) p; /* NULL: not live */
    _Atomic size_t size;
    _Atomic size_t usable;   /* bytes claimed */
    _Atomic unsigned line;   /* of the operation that made or resized it */
    _Atomic unsigned thread; /* driver thread of that operation */
    uint64_t seed;
};

struct replay {
    struct replay *next;
    const struct trace *trace;
    uint32_t base;
    struct oracle_block blocks[];
};

struct oracle {
    const struct mm_allocator *a;
    int level;
    struct fault *fault;
    struct shadow *shadow; /* NULL at level 0 */
    struct meter meter;
    _Atomic size_t asked, slack; /* bytes of all blocks that were handed out */
    size_t absurd; /* NULL for a larger request is no fault; bytes */

    pthread_mutex_t lock; /* of replays and next_key */
    struct replay *replays;
    uint32_t next_key;
};

/* An operation on its way. */
struct call {
    struct oracle *o;
    const struct trace *trace;
    struct oracle_block *b; /* NULL for `f -1` */
    const struct trace_op *op;
    unsigned line, thread;
    uint32_t key;
    bool at_end; /* not an operation: what the trace left live is freed */
};

static inline unsigned char *block_p(const struct oracle_block *b)
{
    return atomic_load_explicit(&b->p, memory_order_relaxed);
}

static inline size_t block_size(const struct oracle_block *b)
{
    return atomic_load_explicit(&b->size, memory_order_relaxed);
}

static inline size_t block_usable(const struct oracle_block *b)
{
    return atomic_load_explicit(&b->usable, memory_order_relaxed);
}

/* ---- oracle_block.c: one block --------------------------------------- */

/** Take the block that the allocator gave: check where it lies, and claim it.
 * Its bytes are not touched yet. These four return false after a fault. */
bool block_accept(const struct call *c, unsigned char *p, size_t size);
/** Is what calloc gave zero? */
bool block_zero(const struct call *c);
/** Is it as block_fill left it? */
bool block_intact(const struct call *c);
/** Did realloc keep the first bytes of a block that had old_size and seed? */
bool block_kept(const struct call *c, size_t old_size, uint64_t seed);
/** Write the pattern (O2). */
void block_fill(const struct call *c);
/** Give the claim up: after this the allocator may have the block back (O1). */
void block_release(const struct call *c);

/* ---- oracle_say.c: messages ------------------------------------------ */

/** Record a fault of this call. @return false, for the caller to return. */
bool fail(const struct call *c, enum fault_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/** The fault that a part of the call's block is also that of key's.
 * @param more  what else is wrong with it, or "". */
bool fail_overlap(const struct call *c, const char *part, uint32_t key,
                  const char *more);

#endif
