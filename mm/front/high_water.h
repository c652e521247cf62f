/* high_water.h - when memory that others do not use goes back to the system.
 *
 *   resident bytes of all shards
 *      record ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ╱│─ ─ ─ ─ ─ ─ ─ ─ ─ ─   new record
 *                                     ╱  │ others' waste       ╱
 *                                   ╱    │ is given back     ╱
 *                                 ╱      └─────────────────╱
 *
 * A shard counts its resident bytes; the sum is known to all, within SCAN_STEP
 * each. Whoever would make the sum larger than the record first looks at the
 * others' waste: so peaks do not add up. What is given back must be taken again
 * in full before the next look, and more: so looks are rare, and threads at
 * work in parallel, each below its own peak, do not purge each other for ever.
 */
#ifndef MM_FRONT_HIGH_WATER_H
#define MM_FRONT_HIGH_WATER_H

#include "mm/util.h"

#include <stdatomic.h>

/* Bytes: what a shard counts its resident memory in, ... */
#define SCAN_STEP ((size_t)1 << 20)
/* ... and waste that is given back though its thread is at work. */
#define SCAN_LARGE ((size_t)16 << 20)

/** The next record, after a look that made of whole bytes what is left. Much
 * was given back, a third: the same as now. A little: it is worth looking again
 * when all need a quarter more. Nothing: before long, when others rest. */
static inline size_t record_after(size_t record, size_t whole, size_t left)
{
    size_t given = left < whole ? whole - left : 0;
    if (given > whole / 3)
        return max_size(left, record);
    size_t more = given ? record / 4 : 0;
    return max_size(left, record + max_size(more, SCAN_STEP));
}

/** Do resident bytes differ by a step from those counted? */
static inline bool is_step(size_t resident, size_t counted)
{
    return resident - counted + SCAN_STEP > 2 * SCAN_STEP;
}

/* Of all shards. */
struct totals {
    _Atomic uint32_t cursor; /* of scans */
    _Atomic size_t resident; /* bytes, within SCAN_STEP of each shard */
    _Atomic size_t record;   /* resident, above which others' waste is purged */
};

/* What others want to know of a shard, to see that it rests. */
struct activity {
    _Atomic uint32_t uses;        /* how often it was entered */
    _Atomic uint32_t seen, swept; /* uses, when others last looked */
    _Atomic size_t waste;         /* bytes that purging would give */
};

#endif
