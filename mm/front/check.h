/* check.h - the invariants of all shards of a stage whose threads have bins.
 *
 *   F1 owners[i] leads to a shard that is not merged
 *   F2 a merged shard and a spare one have no memory; only their inboxes are
 *      closed
 *   F3 every block in use names an id whose owner is the shard it lies in
 *   F4 an id serves anew only when no block in use names it any more
 *
 * Where F4 is broken, F3 is so later. A stage has some more of its own (its
 * shard.h); its arenas have those of the engine (engine/check.h). To be
 * included after front/remote.h. */
#ifndef MM_FRONT_CHECK_H
#define MM_FRONT_CHECK_H

#include "mm/engine/check.h"
#include "mm/front/remote.h"

/** Count what s breaks of the stage's own invariants. */
static inline size_t shard_check_own(const struct shard *s, enum status status);

/* All of one shard. */
static inline size_t shard_check(const struct shard *s)
{
    const struct shard *owner = owner_at(s->id);
    enum status status = status_of(state_get(s));
    bool gone = status == MERGED || status == SPARE;
    size_t size = s->arena.heap.size;
    size_t bad = broken(!owner || status_of(state_get(owner)) == MERGED,
                        "F1 an id leads to a shard that is not merged", s,
                        "its id is", s->id);
    bad += broken(gone && size, "F2 a merged shard has no memory", s, "it has",
                  size);
    bad += broken(inbox_look(&s->inbox) == INBOX_CLOSED && !gone,
                  "F2 only a merged shard's inbox is closed", s,
                  "its status is", status);
    bad += shard_check_own(s, status);
    return bad ? bad
               : arena_check_owned(&s->arena, owner_of, s,
                                   "F3 a block's owner is where it lies");
}

/** All of all shards, but a fork's parent's: these may be torn.
 * @pre quiescent */
static cold_noinline size_t shards_check(void)
{
    size_t bad = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        const struct shard *s = shard_at(i);
        if (s && !shard_is_foreign(s))
            bad += shard_check(s);
    }
    return bad;
}

#endif
