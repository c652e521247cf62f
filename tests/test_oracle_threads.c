/* test_oracle_threads.c - many threads through one oracle, and the peaks. */
#include "tests/fake_allocator.h"
#include "tests/run_tests.h"

#include <pthread.h>

#define THREADS 4
#define OPS 2000
#define IDS 50

static void tear_down(void)
{
    oracle_free(oracle);
    oracle = NULL;
}

/* ---- peaks ----------------------------------------------------------- */

START_TEST(the_peak_is_of_the_sum_over_all_replays)
{
    new_oracle(&fake_allocator, 1);
    struct run a = run_begin("a", "a 0 100\nf 0\na 1 30\n", 0);
    struct run b = run_begin("b", "a 0 1000\nr 0 900\nf 0\n", 1);
    give(heap);
    give(heap + 4096);
    give(heap + 4096);
    give(heap);
    ck_assert(run_step(&a) && run_step(&b)); /* 1100 */
    ck_assert(run_step(&a));                 /* 1000 */
    ck_assert(run_step(&b) && run_step(&b)); /* 900, 0 */
    ck_assert(run_step(&a));                 /* 30 */
    ck_assert(run_end(&a) && run_end(&b));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 1100);
}
END_TEST

START_TEST(growth_by_realloc_counts_in_the_peak)
{
    new_oracle(&fake_allocator, 1);
    give(heap);
    give(heap);
    ck_assert(run_all("a", "a 0 100\nr 0 300\nf 0\n"));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 300);
}
END_TEST

START_TEST(shrinking_by_realloc_makes_room_in_the_sum)
{
    new_oracle(&fake_allocator, 1);
    give(heap);
    give(heap);
    give(heap + 4096);
    ck_assert(run_all("a", "a 0 300\nr 0 100\na 1 250\nf 0\nf 1\n"));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 350);
}
END_TEST

START_TEST(the_allocators_own_heap_peak_is_taken)
{
    new_oracle(&fake_allocator, 1);
    fake.heap_now = 5000;
    fake.heap_peak = 7000;
    give(heap);
    ck_assert(run_all("a", "a 0 100\nf 0\n"));
    fake.heap_peak = 8000;
    ck_assert_uint_eq(oracle_peak_heap(oracle), 8000);
}
END_TEST

START_TEST(without_one_the_highest_sample_is_taken)
{
    new_oracle(&fake_allocator, 1);
    struct run r = run_begin("a", "a 0 100\na 1 100\nf 0\nf 1\n", 0);
    give(heap);
    give(heap + 512);
    fake.heap_now = 1000;
    ck_assert(run_step(&r));
    fake.heap_now = 9000;
    ck_assert(run_step(&r));
    fake.heap_now = 2000;
    ck_assert(run_step(&r) && run_step(&r) && run_end(&r));
    ck_assert_uint_eq(oracle_peak_heap(oracle), 9000);
}
END_TEST

/* ---- threads --------------------------------------------------------- */

/* Random operations on IDS ids, so that all blocks are freed at the end. */
static char *random_ops(unsigned seed)
{
    char *text = malloc(OPS * 40), *p = text;
    bool live[IDS] = {false};
    p += sprintf(p, "mmtrace 1\nids %d\nops %d\n", IDS, OPS);
    for (int i = 0; i < OPS; i++) {
        unsigned r = (unsigned)rand_r(&seed), id = r / 7 % IDS;
        unsigned size = r / 1000 % (r % 5 ? 200 : 20000) + 1;
        if (!live[id] && r % 7 < 3)
            p += sprintf(p, "a %u %u\n", id, size);
        else if (!live[id] && r % 7 < 5)
            p += sprintf(p, "c %u %u 4\n", id, size / 4);
        else if (!live[id])
            p += sprintf(p, "m %u 256 %u\n", id, size);
        else if (r % 7 < 3)
            p += sprintf(p, "r %u %u\n", id, size);
        else
            p += sprintf(p, "f %u\n", id);
        live[id] = !live[id] || r % 7 < 3;
    }
    return text;
}

static void *replay_random(void *arg)
{
    struct oracle_where where = {.thread = (unsigned)(size_t)arg};
    char err[256], *text = random_ops(where.thread);
    struct trace *t = trace_parse("random", text, strlen(text), err, 256);
    ck_assert_msg(t != NULL, "%s", err);
    free(text);
    struct oracle_block *blocks = oracle_begin(oracle, t);
    where.trace = t;
    for (; where.op < t->nops; where.op++)
        if (!oracle_op(oracle, &where, blocks))
            break;
    oracle_end(oracle, t, where.thread, blocks);
    trace_free(t);
    return NULL;
}

static void on_threads(void *(*body)(void *))
{
    pthread_t thread[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        ck_assert(!pthread_create(&thread[i], NULL, body, (void *)i));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
}

START_TEST(a_right_allocator_has_no_fault_with_threads)
{
    new_oracle(&mm_libc, 1);
    on_threads(replay_random);
    ck_assert_msg(fault.kind == FAULT_NONE, "%s", fault.text);
    ck_assert_uint_gt(oracle_peak_payload(oracle), 0);
}
END_TEST

/* Gives the place of its own thread, but for the third block all get one. */
static void *same_place_malloc(size_t size)
{
    static _Thread_local unsigned n, mine;
    static _Atomic unsigned threads;
    (void)size;
    if (n == 0)
        mine = threads++;
    return n++ == 2 ? heap : heap + 4096 * (1 + mine) + 512 * n;
}

static size_t always_400(const void *p)
{
    (void)p;
    return 400;
}

static pthread_barrier_t barrier;

static void *replay_three(void *arg)
{
    struct run r =
        run_begin("t", "a 0 400\na 1 400\na 2 400\n", (unsigned)(size_t)arg);
    for (int i = 0; i < 3; i++)
        run_step(&r);
    pthread_barrier_wait(&barrier); /* all are live until here */
    run_end(&r);
    return NULL;
}

START_TEST(of_threads_that_get_one_block_only_the_first_is_right)
{
    struct mm_allocator a = fake_allocator;
    a.malloc = same_place_malloc;
    a.usable_size = always_400;
    new_oracle(&a, 1);
    pthread_barrier_init(&barrier, NULL, THREADS);
    on_threads(replay_three);
    assert_fault(FAULT_OVERLAP, "t:6: malloc(400) of block 2", "400 bytes at",
                 "live block 2", "of thread", "t:6)");
    pthread_barrier_destroy(&barrier);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("oracle threads");
    TCase *t = tcase_create("threads");
    tcase_add_checked_fixture(t, NULL, tear_down);
    tcase_add_test(t, the_peak_is_of_the_sum_over_all_replays);
    tcase_add_test(t, growth_by_realloc_counts_in_the_peak);
    tcase_add_test(t, shrinking_by_realloc_makes_room_in_the_sum);
    tcase_add_test(t, the_allocators_own_heap_peak_is_taken);
    tcase_add_test(t, without_one_the_highest_sample_is_taken);
    tcase_add_test(t, a_right_allocator_has_no_fault_with_threads);
    tcase_add_test(t, of_threads_that_get_one_block_only_the_first_is_right);
    suite_add_tcase(s, t);
    return run_suite(s);
}
