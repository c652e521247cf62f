/* outbox.c - front/outbox.h, front/remote.h: a thread frees three blocks of two
 * other shards through one slot, which holds two at most; another one does so
 * with one block. Their owners take what came, and look at what the senders
 * wrote. */
#include "shards.h"

static int written[4]; /* plain: what a sender last wrote into its block */

static void give(struct thread *t, int i, uint32_t to)
{
    written[i] = 5;
    block_begin_free(payload_at(i));
    outbox_add(&t->outbox, &shards[to], payload_at(i));
}

static void *sender(void *unused)
{
    struct thread *t = &shards[0].first_thread;
    sit_down(t);
    give(t, 0, 1);
    give(t, 1, 1); /* full: posted */
    give(t, 2, 2);
    outbox_post(&t->outbox);
    return unused;
}

static void *owner(void *unused)
{
    sit_down(&shards[1].first_thread);
    for (int i = 0; i < 2; i++)
        shard_free_inbox(&shards[1], &shards[1]);
    return unused;
}

/* It sends, too: block 3. */
static void *other_owner(void *unused)
{
    struct thread *t = &shards[2].first_thread;
    sit_down(t);
    give(t, 3, 1);
    outbox_post(&t->outbox);
    shard_free_inbox(&shards[2], &shards[2]);
    return unused;
}

int main(void)
{
    body *const bodies[] = {sender, owner, other_owner};
    shard_set(0, OWNED);
    for (int id = 1; id < 3; id++)
        shard_set((uint32_t)id, OWNED);
    for (int i = 0; i < 4; i++)
        arena_make(&shards[i == 2 ? 2 : 1].arena, i);
    run_all(bodies, 3);
    for (uint32_t id = 1; id < 3; id++)
        shard_free_inbox(&shards[id], &shards[id]);
    for (int i = 0; i < 4; i++)
        assert(freed[i] == 1 && written[i] == 5);
    return 0;
}
