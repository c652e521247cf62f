/* adopt.h - one shard takes in another, and ids serve anew.
 *
 *   shard s ◄── owners[id of o], owners[ids of o's wards]
 *      └─ wards: o, and what o had taken in       a list, through next_ward
 *
 * In this order:
 *   1 owners[] of o's wards, and of o, become s
 *   2 o's inbox is closed: who finds it closed finds s in owners[]
 *   3 the arena is merged; what lay in the inbox is freed
 *   4 later, when there are many wards: every block in use gets the id of s;
 *     then each ward becomes spare, and its id leads to itself again
 *
 * A sender that was asleep since before 4 may push a block into a shard that it
 * does not belong to: hence the receiver's look at its label.
 *
 * To be included by a stage after front/remote.h. struct shard has the list.
 * The stage defines besides: */
#ifndef MM_FRONT_ADOPT_H
#define MM_FRONT_ADOPT_H

#include "mm/engine/merge.h"
#include "mm/front/remote.h"

#define WARDS_MIN 16       /* merged ids that may wait to serve anew */
#define WARD_BYTES_LOG2 18 /* ... and one more for each so many bytes */

/** Say what becomes of a shard that is the caller's for good. */
static inline void state_set(struct shard *s, enum status status);
/** An empty arena for s, which may not grow. */
static inline void shard_clear(struct shard *s);
/** A shard whose id no block says any more, for who needs one. */
static inline void shard_push_spare(struct shard *s);

/* L4: relabel, and let the wards serve anew. */
static cold_noinline void wards_release(struct shard *s)
{
    arena_relabel(&s->arena, s->id);
    for (struct shard *w = s->wards, *next; w; w = next) {
        next = w->next_ward;
        state_set(w, SPARE); /* before owners[]: send_on relies on it */
        owner_set(w->id, w);
        shard_push_spare(w);
    }
    s->wards = NULL;
    s->nwards = 0;
}

static inline void ward_add(struct shard *s, struct shard *w)
{
    w->next_ward = s->wards;
    s->wards = w;
    s->nwards++;
}

static inline bool wards_are_many(const struct shard *s)
{
    size_t most = WARDS_MIN + (s->arena.heap.size >> WARD_BYTES_LOG2);
    return s->nwards > most;
}

/* Take orphan o, which is the caller's, into s, which is, too. */
static cold_noinline void shard_merge(struct shard *s, struct shard *o)
{
    for (struct shard *w = o->wards, *next; w; w = next) {
        next = w->next_ward;
        owner_set(w->id, s);
        ward_add(s, w);
    }
    owner_set(o->id, s); /* before the inbox closes: send relies on it */
    void *mail = inbox_close_owner(&o->inbox);
    arena_merge(&s->arena, &o->arena);
    s->counted += o->counted;
    shard_clear(o);
    o->wards = NULL;
    o->nwards = 0;
    state_set(o, MERGED);
    ward_add(s, o);
    shard_free_chain(s, mail);
    if (wards_are_many(s))
        wards_release(s);
}

#endif
