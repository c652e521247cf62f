/* shard.h - an arena that has exactly one owner at any time, and no lock.
 *
 *   a block ─► id, in its header or tag ─► owners[id] ─► the shard it lies in
 *
 *   spare ──────────► owned ◄──────────► claimed ──► stolen
 *     ▲     pop         │  ▲    claim,     ▲           │  │ owner moved on
 *     │                 │  └──revoke───────┘  give back│  ▼
 *     │  relabelled     ▼ thread ends                  │ abandoned ─► orphan
 *   merged ◄───────── orphan ◄─────────────────────────┘
 *          taken in by a thread whose heap would have to grow
 *
 * A thread that owns a shard works on its arena with plain loads and stores. It
 * owns its own shard, one that it popped from a stack of orphans, and one that
 * it stole. What others may write: its inbox (front/inbox.h), its state, a
 * link.
 *
 * Merging. The adopter takes over the orphan's ids (its own, and those of the
 * shards that it had taken in), then closes the inbox, so that a sender that
 * finds it closed finds the new owner, too. When many shards are merged into
 * one, the blocks that name them are given its id, and they serve anew. So a
 * block may arrive at a shard that it does not belong to: the owner that takes
 * it out of its inbox checks its label once more, and sends it on.
 *
 * A shard is stolen for a moment from a thread that sleeps: steal.h.
 *
 * A handler may change the thread's shard just as it enters. So what the thread
 * touches first is its struct thread, which stays. Each shard has one, taken or
 * free; a thread that changes shards takes its struct along, and leaves the new
 * shard's with the old shard.
 *
 *   self ─► thread: open, cache, outbox ◄──► shard: inbox, state, arena
 *
 * Invariants, beside those of front/check.h
 *   L1 the struct thread of a shard that no thread has is not open
 *   L2 threads and shards lead to each other */
#ifndef MM_LOCKFREE_SHARD_H
#define MM_LOCKFREE_SHARD_H

#include "mm/front/high_water.h"
#include "mm/front/inbox.h"
#include "mm/front/low_water.h"
#include "mm/front/thread.h"
#include "mm/lockfree/stack.h"

#define SHARD_GROWS_IN_STEPS true /* its heap (birth.h) */

enum status { OWNED, CLAIMED, STOLEN, ABANDONED, ORPHAN, MERGED, SPARE };
static const char *const status_names[] = {
    [OWNED] = "owned",         [CLAIMED] = "claimed", [STOLEN] = "stolen",
    [ABANDONED] = "abandoned", [ORPHAN] = "orphan",   [MERGED] = "merged",
    [SPARE] = "spare"};

struct shard {
    struct thread first_thread; /* where some shard's struct lies */

    _Alignas(CACHE_LINE) struct inbox inbox;
    _Atomic size_t inbox_bytes; /* about how many wait there */
    _Alignas(CACHE_LINE) _Atomic uint64_t
        state;              /* status, and how often it changed */
    _Atomic uint32_t below; /* link in a tagged stack */

    _Alignas(CACHE_LINE) struct activity activity;
    _Atomic uint32_t process; /* in which it was acquired */
    _Atomic(struct thread *) thread;
    uint32_t id; /* index in all_shards[] */
    uint32_t nmerged;
    struct shard *merged, *next_merged; /* merged into this one; a list */
    size_t counted;                     /* its part of process.totals */
    struct arena arena;
} __attribute__((aligned(CACHE_LINE)));

/* What a child of fork does not inherit: it is zero there. All threads write.
 */
struct process {
    _Atomic uint32_t number; /* 0: not yet known */
    struct totals totals;
    _Atomic uint32_t turn; /* odd: orphans are taken from the second stack */
    /* Those put down in this turn wait in the other stack, for the next. */
    _Alignas(CACHE_LINE) struct tagged orphans[2];
    _Alignas(CACHE_LINE) struct tagged spares;
};

#endif
