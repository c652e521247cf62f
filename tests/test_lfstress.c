/* test_lfstress.c - the lock-free stage's own protocols under load: threads
 * start and end, hand blocks over, rest on free memory, adopt and steal all the
 * time. The same files as everywhere, so that ThreadSanitizer sees them.
 * STRESS=N: N times as much. */
#include "tests/lf_inside.h"

#include <stdatomic.h>

#define NTHREADS 6
#define NBOXES 64
#define NHELD 32

static unsigned char *_Atomic boxes[NBOXES];

static unsigned operations(void)
{
    const char *s = getenv("STRESS");
    return (s ? (unsigned)atoi(s) : 1) * (SANITIZED ? 2000 : 200000);
}

/* Two bytes at both ends say what it is. */
static unsigned char *fresh(uint64_t r)
{
    size_t size = 16 + (r % 32 ? r >> 8 & 0x3ff : r >> 8 & 0x3ffff);
    unsigned char *p = lab->malloc(size);
    demand(p);
    memcpy(p, &size, sizeof size);
    p[sizeof size] = p[size - 1] = (unsigned char)size;
    return p;
}

static void give(unsigned char *p)
{
    size_t size;
    if (!p)
        return;
    memcpy(&size, p, sizeof size);
    demand(p[sizeof size] == (unsigned char)size);
    demand(p[size - 1] == (unsigned char)size);
    lab->free(p);
}

/* Take a shard from one who rests, if there is one, and give it back. */
static void rob(uint64_t r)
{
    struct shard *other = shard_at((uint32_t)(r % shard_count()));
    struct shard *s = shard_enter();
    demand(s);
    if (other && other != s && shard_steal(other)) {
        shard_purge(other, s);
        shard_return(other);
    }
    shard_exit(s);
}

static void adopt_one(void)
{
    struct shard *s = shard_enter();
    demand(s);
    shard_relieve(s, NEVER_RICH);
    if (s->nmerged > 1)
        merged_release(s);
    shard_exit(s);
}

static void *run_life(void *arg)
{
    uint64_t random = (uint64_t)(uintptr_t)arg;
    unsigned char *held[NHELD] = {0};
    for (unsigned n = operations(); n > 0; n--) {
        uint64_t r = next_random(&random);
        size_t i = r >> 32 & (NHELD - 1);
        if (!held[i])
            held[i] = fresh(r);
        else if (r & 1 << 20)
            held[i] = atomic_exchange(&boxes[r >> 40 & (NBOXES - 1)], held[i]);
        else
            held[i] = (give(held[i]), NULL);
        if (r >> 48 == 0 || n % 64 == 0)
            rob(r >> 16);
        if (n % 256 == 0)
            adopt_one();
    }
    for (size_t i = 0; i < NHELD; i++)
        give(held[i]);
    return NULL;
}

START_TEST(robbers_and_heirs_among_threads_that_come_and_go)
{
    pthread_t threads[NTHREADS];
    for (size_t g = 0; g < 8; g++)
        for (size_t i = 0; i < NTHREADS; i++) {
            if (g)
                thread_wait(threads[i]);
            threads[i] =
                thread_start(run_life, (void *)(uintptr_t)(g * NTHREADS + i));
        }
    for (size_t i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
    for (size_t i = 0; i < NBOXES; i++)
        give(atomic_load(&boxes[i]));
    ck_sound();
    ck_assert_uint_le(shard_count(), 128); /* ids served anew */
}
END_TEST

/* One thread that others rob between any two operations. */
static atomic_bool over;

static void *run_robber(void *unused)
{
    uint64_t random = 1;
    lab->free(take_block(8));
    while (!atomic_load(&over))
        rob(next_random(&random));
    return unused;
}

START_TEST(who_is_robbed_all_the_time_loses_nothing)
{
    pthread_t robbers[2];
    unsigned char *held[NHELD] = {0};
    uint64_t random = 2;
    lab->free(take_block(8));
    for (int i = 0; i < 2; i++)
        robbers[i] = thread_start(run_robber, NULL);
    for (unsigned n = operations(); n > 0; n--) {
        uint64_t r = next_random(&random);
        size_t i = r >> 32 & (NHELD - 1);
        give(held[i]);
        held[i] = fresh(r << 8);
    }
    atomic_store(&over, true);
    for (int i = 0; i < 2; i++)
        thread_wait(robbers[i]);
    for (size_t i = 0; i < NHELD; i++)
        give(held[i]);
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        robbers_and_heirs_among_threads_that_come_and_go,
        who_is_robbed_all_the_time_loses_nothing, NULL};
    return run_tests("lfstress", here_begin, tests);
}
