/* decay.c - front/decay.h: a period is over, and two threads come by: one of
 * them sweeps. What a shard is asked to give back it gives once, whoever asks.
 * The sweep writes plain words, and so does who gives. */
#include "checked.h"

#define count_rmw() ((void)0)
#define cold_noinline
#define LOOK_MOST 255
#define NO_LIMIT SIZE_MAX
#define WINDOW_MS 4
#define DECAY_PERIODS 1 /* in decay_ms */
#define max_size(a, b) ((a) > (b) ? (a) : (b))

struct low_water {
    _Atomic size_t give;
    uint64_t until, last;
};
struct shard {
    struct {
        struct low_water low_water;
    } activity;
    struct {
        struct {
            size_t allowance, given;
        } heap;
    } arena;
};
static struct {
    _Atomic bool background;
} mem_options;
static struct totals {
    _Atomic uint64_t sweep_at;
} sums;
static struct shard shards[2];
static _Atomic uint64_t now;
static int sweeps; /* plain: one sweeps at a time */

static struct totals *totals(void)
{
    return &sums;
}

static long decay_ms(void)
{
    return WINDOW_MS;
}

static uint64_t clock_ms(void)
{
    return atomic_load_explicit(&now, memory_order_relaxed);
}

static void shard_pay(struct shard *s, uint64_t ms)
{
    s->activity.low_water.last = ms;
}

#define heap_decay(heap, rested) ((heap)->given += (rested))

static void shard_give(struct shard *s);

static bool decay_sweep(struct shard *s)
{
    struct shard *other = s == shards ? &shards[1] : &shards[0];
    sweeps++;
    atomic_store_explicit(&other->activity.low_water.give, 1,
                          memory_order_relaxed);
    return true;
}

#include "extracted_decay.h"

static void *come_by(void *n)
{
    decay_look(&shards[(intptr_t)n]);
    shard_give(&shards[(intptr_t)n]);
    return NULL;
}

int main(void)
{
    body *const bodies[] = {come_by, come_by};
    atomic_store_explicit(&now, 10, memory_order_relaxed);
    atomic_store_explicit(&sums.sweep_at, 10, memory_order_relaxed);
    run_all(bodies, 2);
    assert(sweeps == 1 && sums.sweep_at == 10 + WINDOW_MS);
    size_t asked = 0;
    for (int i = 0; i < 2; i++)
        asked += shards[i].arena.heap.given +
                 atomic_load_explicit(&shards[i].activity.low_water.give,
                                      memory_order_relaxed);
    assert(asked == 1);
    return 0;
}
