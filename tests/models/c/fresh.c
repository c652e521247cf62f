/* fresh.c - lockfree/shard.h: a shard can be found as soon as it is in
 * all_shards[]. One thread makes it and works there; a thief tries twice,
 * another once. */
#include "shards.h"

static void *maker(void *unused)
{
    sit_down(&no_thread);
    struct shard *s = shard_enter_or_attach();
    if (s) {
        work(s, 0);
        shard_exit(s);
    }
    return unused;
}

static void rob(int thread)
{
    struct shard *s = shard_at(0);
    if (s && shard_steal(s)) {
        work(s, thread);
        shard_return(s);
    }
}

static void *thief(void *unused)
{
    sit_down(&no_thread);
    rob(1);
    rob(1);
    return unused;
}

static void *other_thief(void *unused)
{
    sit_down(&no_thread);
    rob(2);
    return unused;
}

int main(void)
{
    body *const bodies[] = {maker, thief, other_thief};
    atomic_store_explicit(&this_process.number, 1, memory_order_relaxed);
    atomic_store_explicit(&unmade, &shards[0], memory_order_relaxed);
    run_all(bodies, 3);
    check_work(1);
    return 0;
}
