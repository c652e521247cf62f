/* check.h - counts and names what breaks the invariants A1 to A6 of
 * shard.h. */
#ifndef MM_ARENA_CHECK_H
#define MM_ARENA_CHECK_H

#include "mm/arena/shard.h"
#include "mm/engine/check.h"

static bool lies_in(const void *p, const void *shard)
{
    return owner_root(p) == shard;
}

/* A6 of a root. @pre its heap's walk is sound */
static inline size_t mail_check(const struct shard *s)
{
    size_t bad = 0;
    for (const void *p = s->mail; p; p = *(void *const *)p)
        bad += broken(owner_root(p) != s, "A6 mail lies in its shard", p,
                      "it names shard", payload_owner(p));
    return bad;
}

/* What is broken in a root's memory. */
static inline size_t root_check(const struct shard *s)
{
    size_t bad = arena_check_owned(&s->arena, lies_in, s,
                                   "A3 a block's owner is where it lies");
    return bad ? bad : mail_check(s);
}

/* All invariants of all shards. @pre quiescent */
static cold_noinline size_t shards_check(void)
{
    size_t bad = 0;
    uint32_t n = shard_count();
    for (uint32_t i = 0; i < n; i++) {
        const struct shard *s = shard_at(i);
        size_t size = s->arena.heap.size;
        uint32_t root = forward_get(s);
        bad += broken(root >= n || forward_get(shard_at(root)) != root,
                      "A1 forwards lead to a root", s, "this one to", root);
        if (root != i) {
            bad += broken(size, "A2 a forwarded shard has no memory", s,
                          "it has", size);
            continue;
        }
        bad += root_check(s);
    }
    for (const struct shard *s = registry.orphans; s; s = s->next)
        bad += broken(s->users, "A2 an orphan has no users", s, "it has",
                      s->users);
    return bad;
}

#endif
