/* free.c - front/front.h: the first call of a thread frees block 0 of an
 * orphan. An adopter takes that in, changes the label, and its id serves anew;
 * the thread gets just that shard. SLAB: block 0 lies in a slab. */
#include "shards.h"

#include "extracted.h" /* free_slow, shard_enter_to_free, free_aside */

static void *thread(void *unused)
{
    sit_down(&no_thread);
    block_begin_free(payload_at(0));
    free_slow(payload_at(0));
    struct shard *s = shard_enter();
    if (s) {
        outbox_post(&thread_of(s)->outbox);
        shard_exit(s);
    }
    return unused;
}

static void *adopter(void *unused)
{
    sit_down(&shards[0].first_thread);
    if (shard_relieve(&shards[0], NEVER_RICH))
        merged_release(&shards[0]);
    return unused;
}

int main(void)
{
    body *const bodies[] = {thread, adopter};
    shard_set(0, OWNED);
    arena_make(&shard_set(1, ORPHAN)->arena, 0);
    run_all(bodies, 2);
    return 0;
}
