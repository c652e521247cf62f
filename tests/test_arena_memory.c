/* test_arena_memory.c - no blow-up: what stays resident when one thread makes
 * what another frees, and when many short threads leave blocks to others. */
#include "tests/arena_memory.h"

#include <stdatomic.h>

/* ---- a producer and a consumer --------------------------------------- */

#define WINDOW 4096

static void *_Atomic ring[WINDOW];
static size_t ring_blocks;

static size_t ring_size(size_t i)
{
    return 16 + i * 97 % 500; /* 16 .. 515: 4096 of them are about 1 MiB */
}

static void *produce(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < ring_blocks; i++) {
        size_t size = ring_size(i);
        char *p = lab->malloc(size);
        demand(p);
        p[0] = p[size - 1] = 'x';
        while (atomic_load_explicit(&ring[i % WINDOW], memory_order_relaxed))
            sched_yield();
        atomic_store_explicit(&ring[i % WINDOW], p, memory_order_release);
    }
    return NULL;
}

static void *consume(void *unused)
{
    (void)unused;
    lab->free(touched(1)); /* so that it has a cache */
    for (size_t i = 0; i < ring_blocks; i++) {
        char *p;
        while (!(p = atomic_exchange_explicit(&ring[i % WINDOW], NULL,
                                              memory_order_acquire)))
            sched_yield();
        demand(p[0] == 'x' && p[ring_size(i) - 1] == 'x');
        lab->free(p);
    }
    return NULL;
}

START_TEST(a_producer_and_a_consumer_stay_under_8_mb)
{
    lab_begin(_i);
    ring_blocks = SANITIZED ? 40000 : 4000000;
    pthread_t producer = thread_start(produce, NULL);
    in_thread(consume, NULL);
    thread_wait(producer);
    ck_peak("producer and consumer", 8 * MIB);
    lab_end();
}
END_TEST

/* ---- many short threads ---------------------------------------------- */

#define LEFT 10       /* blocks that a thread leaves */
#define FREED_LATE 64 /* threads whose blocks wait to be freed */

static void *leave_ten(void *arg)
{
    void **left = arg;
    for (size_t i = 0; i < LEFT; i++) {
        void *mine = touched(i * 60 + 1);
        left[i] = touched(i * 50 + 1);
        lab->free(mine);
    }
    return NULL;
}

/* Four at a time; what one leaves is freed by others, or by this one. */
static void *free_ten(void *arg)
{
    void **left = arg;
    for (size_t i = 0; i < LEFT; i++)
        lab->free(left[i]);
    return leave_ten(left);
}

START_TEST(short_threads_that_leave_blocks_to_others_stay_under_16_mb)
{
    enum { N = SANITIZED ? 500 : 20000, TOGETHER = 4 };
    static void *left[FREED_LATE][LEFT];
    pthread_t threads[TOGETHER];
    lab_begin(_i);
    for (int i = 0; i < N; i++) {
        if (i >= TOGETHER)
            thread_wait(threads[i % TOGETHER]);
        threads[i % TOGETHER] = thread_start(free_ten, left[i % FREED_LATE]);
        if (i % 100 == 0)
            lab->free(touched(20 * KIB)); /* this thread is needy at times */
    }
    for (int i = 0; i < TOGETHER; i++)
        thread_wait(threads[i]);
    for (int i = 0; i < FREED_LATE; i++)
        for (int k = 0; k < LEFT; k++)
            lab->free(left[i][k]);
    ck_peak("short threads", 16 * MIB);
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_producer_and_a_consumer_stay_under_8_mb,
        short_threads_that_leave_blocks_to_others_stay_under_16_mb, NULL};
    return run_variants("arena-memory", tests);
}
