/* shard.h - an arena with a lock: which threads use it, and its fate.
 *
 *   a block ─► id, in its header or tag ─► owners[id] ─► the shard it lies in
 *
 *   spare ─────────► owned ────────────► orphan ─────────► merged ──► spare
 *           pop             thread ends    │    taken in    relabelled
 *            ▲                ▲            │    by a thread whose heap
 *            └ or made anew   └────────────┘    would have to grow
 *                              the next new thread, or one in need
 *
 * A thread's shard outlives it: it waits as an orphan, with blocks that others
 * still use, and is taken over by the next new thread, or by one whose heap
 * would have to grow, or merged into that one's shard (rich.h, adopt.h). There
 * are about as many shards as there were threads at once, and MM_MAX_ARENAS at
 * most; threads beyond share.
 *
 * A thread that works on a shard's arena has its lock. Without it, others may
 * write its inbox, and what they note of its use.
 *
 * Invariants, beside those of front/check.h
 *   A1 an orphan has no users
 *   A2 while a shard is locked, owner_of says the same of its blocks: ids come
 *      to lead to it, or away from it, under that lock only */
#ifndef MM_ARENA_SHARD_H
#define MM_ARENA_SHARD_H

#include "mm/front/high_water.h"
#include "mm/front/inbox.h"
#include "mm/front/low_water.h"
#include "mm/front/thread.h"
#include "mm/lock.h"

#define SHARD_GROWS_IN_STEPS false /* its heap (birth.h) */

#ifndef ARENA_FAVORITE
#define ARENA_FAVORITE 0
#endif

enum status { OWNED, ORPHAN, MERGED, SPARE };
static const char *const status_names[] = {[OWNED] = "owned",
                                           [ORPHAN] = "orphan",
                                           [MERGED] = "merged",
                                           [SPARE] = "spare"};

struct shard {
    struct lock lock;
    uint32_t users;     /* threads; under the registry */
    struct shard *next; /* orphans, or spare; under the registry */

    _Alignas(CACHE_LINE) struct inbox inbox;
    _Atomic size_t inbox_bytes; /* about how many wait there */

    _Alignas(CACHE_LINE) struct activity activity;
    _Atomic uint64_t state; /* status, and how often it changed */
    uint32_t id;            /* index in all_shards[] */
    uint32_t nmerged;
    struct shard *merged, *next_merged; /* merged into this one; a list */
    size_t counted;                     /* its part of registry.totals */
    struct arena arena;
} __attribute__((aligned(CACHE_LINE)));

static struct registry {
    struct lock lock;
    struct shard *orphans; /* with memory, without users; first in, first out */
    struct shard *newest;  /* the last of them */
    struct shard *spares;
    _Atomic uint32_t norphans; /* a hint, also read without the lock */
    uint32_t turn;             /* next to be shared, when there are too many */
    struct totals totals;
} registry = {.lock = LOCK_INITIALIZER};

#endif
