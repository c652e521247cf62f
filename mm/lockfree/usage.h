/* usage.h - counts and trims all shards of the lock-free stage: for mallinfo
 * and malloc_trim. A shard whose thread is inside is left out; orphans are
 * taken in. */
#ifndef MM_LOCKFREE_USAGE_H
#define MM_LOCKFREE_USAGE_H

#include "mm/lockfree/thread.h"
#include "mm/engine/usage.h"

/* Do to each shard that is not inside; to the others, nothing.
 * @return the sum of what was done */
static size_t for_all_shards(size_t (*work)(struct shard *))
{
    size_t sum = 0;
    struct shard *s = own_or_attach();
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *other = shard_at(i);
        if (!other || other == s || !shard_steal(other))
            continue;
        if (s)
            shard_free_mail(other, s);
        sum += work(other);
        shard_give_back(other);
    }
    if (!s)
        return sum;
    while (shard_adopt(s))
        ;
    shard_free_mail(s, s);
    sum += work(s);
    disown(s);
    return sum;
}

static size_t shard_used(struct shard *s)
{
    const struct seat *t = seat_of(s);
    size_t cached = t == self() ? cache_bytes(&t->cache) : 0;
    return arena_used(&s->arena) - cached;
}

static size_t shard_trim(struct shard *s)
{
    if (seat_of(s) == self())
        cache_flush(s);
    size_t given = heap_trim(&s->arena.heap);
    shard_count_resident(s);
    return given;
}

#endif
