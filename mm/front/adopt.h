/* adopt.h - one shard takes in another, and ids serve anew.
 *
 *   shard s ◄── owners[id of o], owners[ids of what o had taken in]
 *      └─ merged: o, and what o had taken in       a list, through next_merged
 *
 * In this order:
 *   1 owners[] of what o had taken in, and of o, become s
 *   2 o's inbox is closed: a sender that finds it closed finds s in owners[]
 *   3 the arena is merged; what lay in the inbox is freed
 *   4 later, when many are merged into s: every block in use gets the id of s;
 *     then each of them becomes spare, and its id leads to itself again
 *
 * A sender that has slept since before step 4 may push a block into a shard
 * that the block does not belong to: so the receiver checks its label.
 *
 * To be included by a stage after front/remote.h. struct shard has the list.
 * The stage defines besides: */
#ifndef MM_FRONT_ADOPT_H
#define MM_FRONT_ADOPT_H

#include "mm/engine/merge.h"
#include "mm/front/birth.h"
#include "mm/front/remote.h"
#include "mm/front/rich.h"

#define MERGED_MIN 16        /* merged ids that may wait to serve anew */
#define MERGED_BYTES_LOG2 18 /* ... and one more for each 2^18 bytes */

/** Set the status of a shard that is the caller's for good. */
static inline void state_set(struct shard *s, enum status status);
/** Work in o, which nobody uses, instead of s from now on; s is an orphan then,
 * unless others use it. */
static inline void shard_exchange(struct shard *s, struct shard *o);
/** Let o, which is the caller's, wait for a thread. */
static inline void shard_push_orphan(struct shard *o);
/** Keep s, whose id no block names any more, for a thread that needs one. */
static inline void shard_push_spare(struct shard *s);

/* F4: relabel, and let the merged shards serve anew. */
static cold_noinline void merged_release(struct shard *s)
{
    arena_relabel(&s->arena, s->id);
    for (struct shard *m = s->merged, *next; m; m = next) {
        next = m->next_merged;
        state_set(m, SPARE); /* before owners[]: send_on relies on it */
        owner_set(m->id, m);
        shard_push_spare(m);
    }
    s->merged = NULL;
    s->nmerged = 0;
}

static inline void merged_add(struct shard *s, struct shard *m)
{
    m->next_merged = s->merged;
    s->merged = m;
    s->nmerged++;
}

/* Merge orphan o into s; both are the caller's. */
static cold_noinline void shard_merge(struct shard *s, struct shard *o)
{
    for (struct shard *m = o->merged, *next; m; m = next) {
        next = m->next_merged;
        owner_set(m->id, s);
        merged_add(s, m);
    }
    owner_set(o->id, s); /* before the inbox closes: send relies on it */
    void *chain = inbox_close_owner(&o->inbox);
    arena_merge(&s->arena, &o->arena);
    s->counted += o->counted;
    shard_clear(o);
    o->merged = NULL;
    o->nmerged = 0;
    state_set(o, MERGED);
    merged_add(s, o);
    free_chain(s, outbox_of(s), chain, WHOLE_CHAIN);
    if (s->nmerged > MERGED_MIN + (s->arena.heap.size >> MERGED_BYTES_LOG2))
        merged_release(s);
}

/* Work in orphan o instead of s, which needs a block of asize bytes, from now
 * on, or merge it into s (rich.h); both are the caller's.
 * @return the shard to go on with */
static inline struct shard *shard_use_orphan(struct shard *s, struct shard *o,
                                             size_t asize)
{
    shard_free_inbox(o, s);
    enum relief relief = arena_relief(&s->arena, &o->arena, asize);
    if (relief == WORK_THERE)
        shard_exchange(s, o);
    else if (relief == TAKE_IN)
        shard_merge(s, o);
    else
        shard_push_orphan(o);
    return relief == WORK_THERE ? o : s;
}

#endif
