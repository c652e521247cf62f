/* high_water.h - when memory that others do not use goes back to the system.
 *
 *   resident bytes of all shards
 *      mark ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ╱│─ ─ ─ ─ ─ ─ ─ ─ ─ ─   new mark
 *                                     ╱  │ others' waste       ╱
 *                                   ╱    │ is given back     ╱
 *                                 ╱      └─────────────────╱
 *
 * Each shard counts its resident bytes, and adds them to a sum whenever they
 * have changed by PURGE_STEP. A thread that has raised the sum above its
 * highest mark so far purges what others waste: so peaks do not add up. All
 * that was given back must be taken again before the next purge. So purges are
 * rare, and threads at work in parallel, each below its own peak, do not purge
 * each other for ever.
 *
 * What a thread wastes is another's to take only if the thread is idle, or
 * wastes very much. A thread that waits for a processor seems idle: it needs
 * its memory again in its next slice, some ten milliseconds later. (per_thread
 * has a simpler rule: no use since the last look, all waste, a third is
 * enough.) */
#ifndef MM_FRONT_HIGH_WATER_H
#define MM_FRONT_HIGH_WATER_H

#include "count.h"
#include "mm/util.h"

#include <stdatomic.h>

/* Bytes: a shard's resident memory is counted in steps of this, ... */
#define PURGE_STEP ((size_t)1 << 20)
/* ... and waste of this much is purged though its thread is not idle, but
 * never while it is inside. */
#define PURGE_LARGE ((size_t)32 << 20)
/* ms in which a thread does not enter its shard (it may be served by bins), as
 * others' looks see it, at full pace (pace.h): then it is idle. Of eight that
 * share a processor each waits for some thirty. */
#define IDLE_MS 80

/** Bytes after which a purge of others stops, where all together have `whole`:
 * more than the step that is lacking, so that purges are rare; not all, as it
 * may be needed again. */
static inline size_t high_water_need(size_t whole)
{
    return whole / 8;
}

/** The next mark, after a purge gave back `given` of `whole` resident bytes.
 * If that is enough, the mark stays. If it is less, the next purge is worth its
 * price only when `enough` more is needed, or a quarter of the mark. If it is
 * nothing, it comes one step later: others may be idle by then. */
static inline size_t high_water_after(size_t mark, size_t whole, size_t given,
                                      size_t enough)
{
    if (given >= enough)
        return max_size(mark, whole - min_size(given, whole));
    size_t more = given ? min_size(mark / 4, enough) : 0;
    return max_size(whole, mark + max_size(more, PURGE_STEP));
}

/** Do resident bytes differ by a step from those counted? */
static inline bool is_step(size_t resident, size_t counted)
{
    return resident - counted + PURGE_STEP > 2 * PURGE_STEP;
}

/* Of all shards. */
struct totals {
    _Atomic uint32_t cursor;   /* where the next purge of others begins */
    _Atomic size_t resident;   /* bytes, within PURGE_STEP of each shard */
    _Atomic size_t high_water; /* of resident; above it others are purged */
    _Atomic uint64_t sweep_at; /* ms: when the period ends (decay.h) */
};

/** Add to the whole by how much a shard has grown since it was counted, or take
 * off by how much it has shrunk. Relaxed: a sum to decide by, which publishes
 * nothing. @return the whole */
static inline size_t totals_count(struct totals *all, size_t resident,
                                  size_t *counted)
{
    size_t more = resident - *counted; /* or less */
    *counted = resident;
    count_rmw();
    return atomic_fetch_add_explicit(&all->resident, more,
                                     memory_order_relaxed) +
           more;
}

#endif
