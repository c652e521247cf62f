/* handler.c - lockfree/thread.h: a signal's handler, which allocates, comes at
 * point HANDLER of its thread's way in and out; a thief robs the thread's shard
 * meanwhile. One run for each point. A handler is the thread's own calls, so
 * nothing but their order protects the one from the other.
 */
#define IN_HANDLER
#include "checked.h"

static __thread int point;
static __thread bool is_target;
static void handler(void);

static void handler_point(void)
{
    if (is_target && point++ == HANDLER)
        handler();
}

#include "shards.h"

/* As any call: inside, or by the side way (malloc_aside). */
static void call(int thread)
{
    struct shard *s = shard_enter(), *side = s;
    if (!s && !(side = shard_acquire()))
        return;
    int had = side->arena.heap.work;
    handler_point();
    side->arena.heap.work = had + 1;
    worked[thread]++;
    if (s)
        shard_exit(s);
    else
        shard_push_orphan(side);
}

static void handler(void)
{
    call(3);
}

static void *owner(void *unused)
{
    is_target = true;
    sit_down(&shards[0].first_thread);
    call(0);
    assert(self()->open); /* or no call would get in any more */
    return unused;
}

static void *thief(void *unused)
{
    steal_and_work(&shards[0], 1);
    return unused;
}

int main(void)
{
    body *const bodies[] = {owner, thief};
    shard_set(0, OWNED);
    shards[0].first_thread.open = OPEN;
    shards[0].first_thread.next = &shards[0].first_thread;
    shard_set(1, SPARE);
    shard_set(2, SPARE);
    run_all(bodies, 2);
    check_work(3);
    return 0;
}
