/* test_arena_level.c - what threads that come and go need levels off: the heap
 * after many rounds of them is what it was after a tenth of the rounds. */
#include "tests/arena_memory.h"
#include "tests/limits.h"

#include <stdatomic.h>

#define SHELF 1024   /* blocks that are alive; each is put down by one thread */
#define TOGETHER 10  /* threads at once */
#define BLOCKS 100   /* that one makes; it frees as many of others */
#define ROUNDS 3000  /* of TOGETHER threads */
#define LONG_AGO 300 /* the round to compare the last one with */

static void *_Atomic shelf[SHELF];

/* What a thread takes off the shelf it has never seen: another's, most likely
 * of a thread that is gone. */
static void *put_down_and_take(void *seed)
{
    uint64_t state = (uintptr_t)seed;
    for (int i = 0; i < BLOCKS; i++) {
        uint64_t r = next_random(&state);
        void *p = touched(8 + r % 1000);
        lab->free(atomic_exchange_explicit(&shelf[(r >> 32) % SHELF], p,
                                           memory_order_acq_rel));
    }
    return NULL;
}

static void round_of_threads(size_t number)
{
    pthread_t threads[TOGETHER];
    for (size_t i = 0; i < TOGETHER; i++)
        threads[i] = thread_start(put_down_and_take,
                                  (void *)(number * TOGETHER + i + 1));
    for (size_t i = 0; i < TOGETHER; i++)
        thread_wait(threads[i]);
}

static size_t heap_bytes(void)
{
    struct mm_stats stats;
    lab->stats(&stats);
    return stats.heap + stats.metadata;
}

START_TEST(threads_that_come_and_go_need_no_more_after_ten_times_as_many)
{
    const size_t part = SANITIZED || emulated() ? 30 : 1;
    const size_t rounds = ROUNDS / part;
    size_t before = 0;
    lab_begin(_i);
    for (size_t i = 1; i <= rounds; i++) {
        round_of_threads(i);
        if (i == LONG_AGO / part)
            before = heap_bytes();
    }
    size_t after = heap_bytes();
    if (getenv("SHOW_PEAKS"))
        printf("%-16s %zu KiB, then %zu\n", lab->name, before / KIB,
               after / KIB);
    ck_assert_msg(after < 2 * before + MIB, "%zu KiB became %zu", before / KIB,
                  after / KIB);
    for (size_t i = 0; i < SHELF; i++)
        lab->free(shelf[i]);
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        threads_that_come_and_go_need_no_more_after_ten_times_as_many, NULL};
    return run_variants("arena-level", tests);
}
