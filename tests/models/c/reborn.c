/* reborn.c - front/remote.h, front/adopt.h: a shard begins, takes in another
 * and labels its blocks, while one of these is sent. The sender may see that
 * label, and nothing else of what the adopter did.
 *
 * Shard 0 was spare, and serves anew; MADE: it is a new one, shard 2. */
#include "shards.h"

static void *adopter(void *unused)
{
    struct shard *s = shard_new();
    sit_down(thread_of(s));
    state_set(s, OWNED);
    shard_relieve(s, NEVER_RICH);
    merged_release(s);
    shard_free_inbox(s, s);
    return unused;
}

static void *sender(void *unused)
{
    static struct outbox outbox;
    void *p = payload_at(0);
    block_begin_free(p);
    outbox_add(&outbox, owner_of(p), p);
    outbox_post(&outbox);
    return unused;
}

int main(void)
{
    body *const bodies[] = {adopter, sender};
#ifdef MADE
    atomic_store_explicit(&unmade, &shards[2], memory_order_relaxed);
#else
    shard_set(0, SPARE);
#endif
    arena_make(&shard_set(1, ORPHAN)->arena, 0);
    run_all(bodies, 2);
    int lies = 0;
    for (int i = 0; i < SHARDS_MAX; i++)
        lies += (int)shards[i].arena.blocks;
    assert(freed[0] + lies == 1);
    return 0;
}
