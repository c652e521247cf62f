/* check.h - the invariants of all shards of the lock-free stage, counted. */
#ifndef MM_LOCKFREE_CHECK_H
#define MM_LOCKFREE_CHECK_H

#include "mm/lockfree/shard.h"

/* All of one shard. */
static inline size_t shard_check(const struct shard *s)
{
    const struct heap *h = &s->arena.heap;
    const struct shard *owner = owner_at(s->id);
    enum status status = status_of(state_get(s));
    bool gone = status == MERGED || status == SPARE;
    size_t bad = broken(!owner || status_of(state_get(owner)) == MERGED,
                        "L1 an id leads to a shard that is not merged", s,
                        "its id is", s->id);
    bad += broken(gone && h->size, "L2 a merged shard has no memory", s,
                  "it has", h->size);
    bad += broken(inbox_look(&s->inbox) == INBOX_CLOSED && !gone,
                  "L2 only a merged shard's inbox is closed", s,
                  "its status is", status);
    bad += broken(thread_of(s)->open && status > STOLEN,
                  "L5 the thread of a shard that no thread has is not open", s,
                  "its status is", status);
    bad += broken(thread_of(s)->shard != s,
                  "L6 threads and shards lead to each other", s, "its id is",
                  s->id);
    return bad ? bad
               : arena_check_owned(&s->arena, owner_is, s,
                                   "L3 a block's owner is where it lies");
}

/* All invariants of all shards that this process acquired: what its parent's
 * threads had may be torn. @pre quiescent */
static cold_noinline size_t shards_check(void)
{
    size_t bad = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        const struct shard *s = shard_at(i);
        if (s && atomic_load_explicit(&s->process, memory_order_relaxed) ==
                     process_number())
            bad += shard_check(s);
    }
    return bad;
}

#endif
