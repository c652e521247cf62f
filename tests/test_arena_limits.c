/* test_arena_limits.c - no more memory: NULL and ENOMEM for who asks, others go
 * on, and what is freed by anyone can be had by everyone. */
#include "tests/arena_variants.h"
#include "tests/limits.h"
#include "tests/run_tests.h"

#include <errno.h>
#include <stdio.h>

#define MIB ((size_t)1 << 20)
#define NLARGE 4096

/* Blocks that fill the heap, as few as can be; none of them is touched. */
struct fill {
    void *blocks[NLARGE];
    size_t n;
};

static struct fill fill;

static void fill_up(struct fill *f)
{
    for (size_t size = (size_t)1 << 40; size >= 16; size /= 2) {
        void *p;
        while (f->n < NLARGE && (p = lab->malloc(size)) != NULL)
            f->blocks[f->n++] = p;
    }
    demand(f->n < NLARGE);
}

static void empty(struct fill *f)
{
    while (f->n)
        lab->free(f->blocks[--f->n]);
}

static void *rest(void *barrier)
{
    pthread_barrier_wait(barrier);
    return NULL;
}

/* Little memory from now on; but two more threads have their stacks. */
static void little_memory(void)
{
    pthread_barrier_t both;
    pthread_barrier_init(&both, NULL, 2);
    pthread_t other = thread_start(rest, &both);
    in_thread(rest, &both);
    thread_wait(other);
    limit_data(64 * MIB);
}

/* ---- one thread has no memory ---------------------------------------- */

static void *take_mib(void *unused)
{
    (void)unused;
    errno = 0;
    void *p = lab->malloc(MIB);
    demand(p || errno == ENOMEM);
    return p;
}

START_TEST(who_asks_for_what_is_not_there_gets_null_and_enomem)
{
    if (!limits_hold())
        return;
    lab_begin(_i);
    void *p = lab->malloc(1000);
    memset(p, 'x', 1000);
    little_memory();
    fill_up(&fill);
    ck_assert_ptr_null(take_mib(NULL));
    ck_assert_ptr_null(in_thread(take_mib, NULL));
    errno = 0;
    ck_assert_ptr_null(lab->realloc(p, MIB));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(lab->calloc(1, MIB));
    ck_assert_ptr_null(lab->memalign(4096, MIB));
    for (int i = 0; i < 1000; i++)
        ck_assert(((char *)p)[i] == 'x');
    ck_assert_uint_eq(lab->check(), 0);
    empty(&fill);
    ck_assert_ptr_nonnull(p = lab->realloc(p, MIB));
    lab->free(p);
    lab_end();
}
END_TEST

static void *empty_all(void *unused)
{
    int before = errno = 4711;
    empty(&fill);
    demand(errno == before);
    return unused;
}

static void *wait_for_mib(void *unused)
{
    void *p;
    while (!(p = take_mib(unused)))
        sched_yield();
    return p;
}

START_TEST(what_others_free_serves_the_thread_that_had_none)
{
    if (!limits_hold())
        return;
    lab_begin(_i);
    little_memory();
    fill_up(&fill); /* all is main's, which lives and does nothing */
    pthread_t needy = thread_start(wait_for_mib, NULL);
    in_thread(empty_all, NULL);
    void *p = thread_wait(needy);
    ck_assert_ptr_nonnull(p);
    lab->free(p);
    lab_end();
}
END_TEST

/* ---- all threads have none, in turn ---------------------------------- */

static unsigned largest_log2 = 36; /* of a request */

static void *fill_and_empty(void *arg)
{
    struct fill *f = calloc(1, sizeof *f);
    uint64_t random = (uint64_t)(uintptr_t)arg;
    demand(f);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 200; i++) {
            size_t size = (size_t)1 << next_random(&random) % largest_log2;
            void *p = lab->malloc(size);
            if (p)
                f->blocks[f->n++] = p;
            else
                demand(errno == ENOMEM);
        }
        empty(f);
    }
    free(f);
    return NULL;
}

START_TEST(threads_that_run_out_of_memory_together_stay_sound)
{
    enum { N = 4 };
    pthread_t threads[N];
    if (emulated())
        largest_log2 = 28; /* qemu keeps a record of each page */
    lab_begin(_i);
    for (int i = 0; i < N; i++)
        threads[i] = thread_start(fill_and_empty, (void *)(intptr_t)i);
    for (int i = 0; i < N; i++)
        thread_wait(threads[i]);
    ck_assert_uint_eq(lab->check(), 0);
    if (lab != &mm_per_thread) {        /* which does not merge */
        void *p = lab->malloc(3 * MIB); /* it was merely in pieces */
        ck_assert_ptr_nonnull(p);
        lab->free(p);
    }
    lab_end();
}
END_TEST

/* ---- little address space -------------------------------------------- */

static rlim_t address_space(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_int_eq(fscanf(f, "%zu", &pages), 1);
    fclose(f);
    return pages * 4096;
}

static void use_little(size_t bytes)
{
    struct rlimit limit = {address_space() + bytes, RLIM_INFINITY};
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
    ck_assert_int_eq(lab->init(), 0);
    void *p = lab->malloc(bytes / 8);
    ck_assert_msg(p != NULL, "no block with %zu KiB", bytes >> 10);
    memset(p, 'x', bytes / 8);
    fill_up(&fill);
    ck_assert_ptr_null(lab->malloc(bytes));
    ck_assert_int_eq(errno, ENOMEM);
    empty(&fill);
    lab->free(p);
    lab_end();
    limit.rlim_cur = RLIM_INFINITY;
    ck_assert_int_eq(setrlimit(RLIMIT_AS, &limit), 0);
}

START_TEST(a_process_with_little_address_space_can_use_it)
{
    if (!limits_hold())
        return;
    lab = variants[_i];
    for (size_t bytes = 5 * MIB / 2; bytes < 64 * MIB; bytes *= 2)
        use_little(bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena-limits");
    TCase *tc = tcase_create("arena-limits");
    tcase_add_loop_test(tc, threads_that_run_out_of_memory_together_stay_sound,
                        0, NVARIANTS);
    if (!SANITIZED) { /* they need memory without end themselves */
        tcase_add_loop_test(tc,
                            who_asks_for_what_is_not_there_gets_null_and_enomem,
                            0, NVARIANTS);
        tcase_add_loop_test(
            tc, what_others_free_serves_the_thread_that_had_none, 0, NVARIANTS);
        tcase_add_loop_test(tc, a_process_with_little_address_space_can_use_it,
                            0, NVARIANTS);
    }
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
