/* test_arena_lines.c - no false sharing: blocks of two threads never lie in one
 * cache line, unless one was handed over and freed. All lines are counted. */
#include "tests/arena_variants.h"
#include "tests/run_tests.h"

#define LINE 64
#define NTHREADS 4
#define NBLOCKS 6000 /* of each thread */

struct claim {
    uintptr_t line;
    int thread;
};

struct user {
    int number;
    size_t nclaims;
    void *blocks[NBLOCKS];
    struct claim claims[NBLOCKS * 2];
};

static struct user users[NTHREADS];
static pthread_barrier_t together;

/* The first and the last line of p: those in between are all its own. */
static void claim(struct user *u, const void *p)
{
    uintptr_t first = (uintptr_t)p / LINE;
    uintptr_t last = ((uintptr_t)p + lab->usable_size(p) - 1) / LINE;
    u->claims[u->nclaims++] = (struct claim){first, u->number};
    u->claims[u->nclaims++] = (struct claim){last, u->number};
}

/* Small, in runs and with headers; large; aligned; grown and shrunk. */
static void *take_any(uint64_t *random)
{
    uint64_t r = next_random(random);
    size_t size = r % 8 ? r >> 8 & 0xff : r >> 8 & 0x1fff;
    switch (r >> 3 & 7) {
    case 0: return lab->memalign((size_t)16 << (r >> 6) % 8, size);
    case 1: return lab->realloc(lab->malloc(size), size / 2 + 1);
    case 2: return lab->realloc(lab->malloc(size / 2), size + 1);
    default: return lab->malloc(size);
    }
}

/* All threads grow at the same time, so that their regions lie side by side;
 * they free and take again; what they hold in the end is claimed. */
static void *use_lines(void *arg)
{
    struct user *u = arg;
    uint64_t random = (uint64_t)u->number;
    for (size_t i = 0; i < NBLOCKS; i++) {
        if (i % 1000 == 0)
            pthread_barrier_wait(&together);
        demand(u->blocks[i] = take_any(&random));
        if (next_random(&random) % 3 == 0) {
            size_t k = next_random(&random) % (i + 1);
            lab->free(u->blocks[k]);
            demand(u->blocks[k] = take_any(&random));
        }
    }
    for (size_t i = 0; i < NBLOCKS; i++)
        claim(u, u->blocks[i]);
    pthread_barrier_wait(&together);
    return NULL;
}

static int by_line(const void *a, const void *b)
{
    const struct claim *x = a, *y = b;
    return x->line < y->line ? -1 : x->line > y->line;
}

/* Neighbours in the order of lines that are of one line, but of two threads. */
static size_t shared_lines(void)
{
    static struct claim all[NTHREADS * NBLOCKS * 2];
    size_t n = 0, shared = 0;
    for (int t = 0; t < NTHREADS; t++) {
        memcpy(all + n, users[t].claims, users[t].nclaims * sizeof *all);
        n += users[t].nclaims;
    }
    ck_assert_uint_gt(n, NTHREADS * NBLOCKS);
    qsort(all, n, sizeof *all, by_line);
    for (size_t i = 1; i < n; i++)
        shared += all[i].line == all[i - 1].line &&
                  all[i].thread != all[i - 1].thread;
    return shared;
}

static size_t use_and_count(const struct mm_allocator *allocator)
{
    pthread_t threads[NTHREADS];
    lab = allocator;
    ck_assert_int_eq(lab->init(), 0);
    pthread_barrier_init(&together, NULL, NTHREADS);
    for (int t = 0; t < NTHREADS; t++) {
        users[t].number = t;
        threads[t] = thread_start(use_lines, &users[t]);
    }
    for (int t = 0; t < NTHREADS; t++)
        thread_wait(threads[t]);
    size_t shared = shared_lines();
    for (int t = 0; t < NTHREADS; t++)
        for (size_t i = 0; i < NBLOCKS; i++)
            lab->free(users[t].blocks[i]);
    lab_end();
    return shared;
}

START_TEST(blocks_of_two_threads_never_share_a_cache_line)
{
    ck_assert_uint_eq(use_and_count(&mm_arena), 0);
}
END_TEST

START_TEST(they_do_not_without_caches_either)
{
    ck_assert_uint_eq(use_and_count(&mm_per_thread), 0);
}
END_TEST

START_TEST(a_single_heap_does_share_lines_and_the_count_sees_it)
{
    ck_assert_uint_gt(use_and_count(&mm_global), 0);
}
END_TEST

/* ---- blocks that were handed over ------------------------------------ */

static void *free_it(void *p)
{
    lab->free(lab->malloc(40)); /* so that it has a cache */
    lab->free(p);
    return lab->malloc(40);
}

START_TEST(a_block_that_was_handed_over_never_serves_who_freed_it)
{
    lab = &mm_arena;
    ck_assert_int_eq(lab->init(), 0);
    void *p = lab->malloc(40);
    void *q = in_thread(free_it, p);
    ck_assert_ptr_nonnull(q);
    ck_assert_ptr_ne(q, p);
    lab->free(q);
    lab_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena-lines");
    TCase *tc = tcase_create("arena-lines");
    tcase_add_test(tc, blocks_of_two_threads_never_share_a_cache_line);
    tcase_add_test(tc, they_do_not_without_caches_either);
    tcase_add_test(tc, a_single_heap_does_share_lines_and_the_count_sees_it);
    tcase_add_test(tc, a_block_that_was_handed_over_never_serves_who_freed_it);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
