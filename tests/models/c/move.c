/* move.c - lockfree/thread.h: shard 0 is a thief's, so its thread moves to
 * shard 1, which another thief may claim meanwhile; shard 0 is given back, and
 * an heir gets it. RICH: it moves of its own accord, as shard 1 has plenty
 * (lockfree/remote.h). Is everybody alone? */
#include "shards.h"

static void *owner(void *unused)
{
    sit_down(&shards[0].first_thread);
    struct shard *s = shard_enter();
#ifdef RICH
    struct shard *to = s ? shard_relieve(s, 16) : NULL;
    s = to ? to : s;
#endif
    if (s) {
        work(s, 0);
        shard_exit(s);
    }
    return unused;
}

static void *first_thief(void *unused)
{
    sit_down(&no_thread);
#ifdef RICH
    if (!shard_steal(&shards[0]))
        return unused;
#endif
    work(&shards[0], 1);
    shard_return(&shards[0]);
    return unused;
}

static void *second_thief(void *unused)
{
    steal_and_work(&shards[1], 2);
    return unused;
}

static void *heir(void *unused)
{
    sit_down(&no_thread);
    struct shard *s = shard_enter_or_attach();
    if (s) {
        work(s, 3);
        shard_exit(s);
    }
    return unused;
}

int main(void)
{
    body *const bodies[] = {owner, second_thief, heir, first_thief};
#ifdef RICH
    shard_set(0, OWNED);
    shard_set(1, ORPHAN);
#else
    shard_set(0, state_next(state_next(0, CLAIMED), STOLEN));
    shard_set(1, SPARE);
#endif
    shards[0].first_thread.open = OPEN;
    shards[0].first_thread.next = &shards[0].first_thread;
#ifdef RICH
    run_all(bodies, 3);
#else
    run_all(bodies, 4);
#endif
    check_work(2);
    return 0;
}
