/* shardcheck.h - counts and names what breaks the invariants A1 to A6 of
 * shard.h. */
#ifndef MM_SHARDCHECK_H
#define MM_SHARDCHECK_H

#include "mm/check.h"
#include "mm/shard.h"

/* A3 of a root. @pre its heap's walk is sound */
static inline size_t owners_check(const struct shard *s)
{
    size_t bad = 0;
    const struct heap *h = &s->arena.heap;
    uint32_t link = h->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(h, link);
        const struct block *b = (const struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b)) {
            const void *p = block_payload(b);
            if (block_used(b))
                bad += broken(owner_root(p) != s,
                              "A3 a block's owner is where it lies", p,
                              "it names shard", payload_owner(p));
        }
    }
    return bad;
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
    const struct heap *h = &s->arena.heap;
    size_t bad = heap_check(h);
    if (bad)
        return bad;
    return runs_check(h, &s->arena.runs) + owners_check(s) + mail_check(s);
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
