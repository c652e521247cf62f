/* child.c - a child of fork, lockfree/thread.h: its only thread finds its shard
 * as a thief of the parent left it, claimed or stolen (STATE), with blocks of
 * its own still in an inbox that may be torn. Threads begin there, and rob. */
#include "shards.h"

static void *survivor(void *unused)
{
    sit_down(&shards[0].first_thread);
    for (int i = 0; i < 2; i++) {
        struct shard *s = shard_enter();
        if (!s)
            continue; /* robbed, and no other is left */
        assert(s->process > 1 && s->process == process_number());
        void *p = shard_take_inbox(s);
        assert(!p);
        work(s, 0);
        shard_exit(s);
    }
    return unused;
}

static void *thief(void *unused)
{
    sit_down(&no_thread);
    for (uint32_t id = 0; id < 2; id++)
        if (shard_steal(&shards[id])) {
            work(&shards[id], 1);
            shard_return(&shards[id]);
        }
    return unused;
}

int main(void)
{
    body *const bodies[] = {survivor, thief};
    shard_set(0, STATE);
    shards[0].first_thread.open = OPEN;
    shards[0].first_thread.next = &shards[0].first_thread;
    atomic_store_explicit(&shards[0].inbox.chain, (void *)(uintptr_t)64,
                          memory_order_relaxed); /* torn */
    shard_set(1, SPARE);
    atomic_store_explicit(&last_process, 1, memory_order_relaxed);
    atomic_store_explicit(&this_process.number, 0, memory_order_relaxed);
    run_all(bodies, 2);
    assert(worked[0] > 0);
    check_work(2);
    return 0;
}
