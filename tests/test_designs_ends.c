/* test_designs_ends.c - threads that come and go, in each design: what becomes
 * of their heaps and blocks. */
#include "tests/designs_test.h"

static void *take_100(void *arg)
{
    (void)arg;
    return take(100, 't');
}

static void *take_100_announced(void *arg)
{
    if (mm->thread_init) /* a hook is optional */
        ck_assert_int_eq(mm->thread_init(), 0);
    void *p = take_100(arg);
    if (mm->thread_exit)
        mm->thread_exit();
    return p;
}

/* One after the other, without and with the hooks: all adopt one heap. */
START_TEST(ten_thousand_short_threads_leak_no_heap)
{
    begin(_i);
    int n = SANITIZED || emulated() ? 1000 : 10000;
    for (int i = 0; i < 10; i++)
        mm->free(in_thread(i % 2 ? take_100 : take_100_announced, NULL));
    size_t start = stats_now().heap;
    for (int i = 0; i < n; i++)
        mm->free(in_thread(i % 2 ? take_100 : take_100_announced, NULL));
    ck_assert_uint_le(stats_now().heap, start + 64 * KIB);
    ck_healthy();
}
END_TEST

START_TEST(blocks_outlive_their_threads)
{
    static char *blocks[500];
    begin(_i);
    for (int i = 0; i < 500; i++)
        blocks[i] = in_thread(take_100, NULL);
    ck_healthy();
    for (int i = 0; i < 500; i++) {
        demand_filled(blocks[i], 100, 't');
        mm->free(blocks[i]);
    }
    ck_healthy();
}
END_TEST

static pthread_key_t late;

static void allocate_late(void *again)
{
    mm->free(take(200, 'd'));
    if (again) /* once more, in the next round of destructors */
        pthread_setspecific(late, (void *)((uintptr_t)again - 1));
}

static void *end_late(void *arg)
{
    (void)arg;
    /* The last is in the last round; a sanitizer's thread ends before. */
    pthread_setspecific(late, (void *)(SANITIZED ? 2ul : 4ul));
    return take(100, 't');
}

START_TEST(what_destructors_allocate_leaks_no_heap)
{
    begin(_i);
    mm->free(take(1, 0)); /* the design's key comes before ours */
    ck_assert_int_eq(pthread_key_create(&late, allocate_late), 0);
    for (int i = 0; i < 10; i++)
        mm->free(in_thread(end_late, NULL));
    size_t start = stats_now().heap;
    for (int i = 0; i < 200; i++)
        mm->free(in_thread(end_late, NULL));
    ck_assert_uint_le(stats_now().heap, start);
    ck_healthy();
}
END_TEST

enum { ORPHANS = 20000 };
static char *orphans[ORPHANS];

static void *take_orphans(void *size)
{
    for (int i = 0; i < ORPHANS; i++)
        orphans[i] = take((size_t)size, i);
    return NULL;
}

/* No thread comes that could adopt the heap. */
START_TEST(what_a_dead_thread_made_goes_back_when_it_is_freed)
{
    begin(_i);
    if (in_the_range(_i))
        return;
    for (size_t size = 100; size <= 3000; size *= 30) {
        mm->free(take(1, 0));
        size_t start = stats_now().heap;
        in_thread(take_orphans, (void *)size);
        demand(stats_now().heap > start + size * ORPHANS);
        for (int i = 0; i < ORPHANS; i++)
            mm->free(orphans[i]);
        demand(stats_now().heap < start + 2 * MIB);
        ck_healthy();
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        ten_thousand_short_threads_leak_no_heap, blocks_outlive_their_threads,
        what_destructors_allocate_leaks_no_heap,
        what_a_dead_thread_made_goes_back_when_it_is_freed, NULL};
    return run_design_tests("designs-ends", tests);
}
