/* check.h - the invariants of all shards of the arena stage, counted. */
#ifndef MM_ARENA_CHECK_H
#define MM_ARENA_CHECK_H

#include "mm/arena/shard.h"

/* All of one shard. */
static inline size_t shard_check(const struct shard *s)
{
    const struct shard *owner = owner_at(s->id);
    enum status status = status_of(state_get(s));
    size_t size = s->arena.heap.size;
    bool gone = status > ORPHAN;
    size_t bad = broken(!owner || status_of(state_get(owner)) == MERGED,
                        "A1 an id leads to a shard that is not merged", s,
                        "its id is", s->id);
    bad += broken(gone && size, "A2 a merged shard has no memory", s, "it has",
                  size);
    bad += broken(status == ORPHAN && s->users, "A2 an orphan has no users", s,
                  "it has", s->users);
    return bad ? bad
               : arena_check_owned(&s->arena, owner_is, s,
                                   "A3 a block's owner is where it lies");
}

/* All invariants of all shards. @pre quiescent */
static cold_noinline size_t shards_check(void)
{
    size_t bad = 0;
    for (uint32_t i = 0; i < shard_count(); i++)
        bad += shard_check(shard_at(i));
    return bad;
}

#endif
