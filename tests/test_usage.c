/* test_usage.c - a stage counts what is in use, and gives back what is not. */
#include "tests/mm_test.h"

#include <pthread.h>

START_TEST(a_block_counts_while_it_is_in_use)
{
    begin(_i);
    mm->free(take(1, 'x'));
    size_t empty = mm->used();
    for (size_t size = 1; size < 3 * MIB; size = size * 3 + 5) {
        size_t before = mm->used();
        char *p = take(size, 'x');
        ck_assert_uint_ge(mm->used(), before + size);
        mm->free(p);
        ck_assert_uint_le(mm->used(), before + 4096); /* a run may stay */
    }
    ck_assert_uint_le(mm->used(), empty + 2 * 4096);
}
END_TEST

static void *take_many(void *unused)
{
    for (int i = 0; i < 500; i++)
        take(2000, 'x');
    return unused;
}

START_TEST(blocks_of_all_threads_count)
{
    pthread_t threads[3];
    begin(_i);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_many, NULL), 0);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_ge(mm->used(), 3 * 500 * 2000);
    ck_assert_uint_lt(mm->used(), 3 * 500 * 2100);
}
END_TEST

/* Of so many blocks one stays: free neighbours have up to ten pages. */
static int neighbours(int i)
{
    return (4 + i / 100) * (int)(mem_pagesize() >> 12);
}

/* Free neighbours of all sizes are given back; what is in use stays. */
START_TEST(trim_gives_back_and_keeps_what_is_in_use)
{
    enum { N = 4000 };
    static char *blocks[N];
    begin(_i);
    for (int i = 0; i < N; i++)
        blocks[i] = take(1500, i);
    for (int i = 0; i < N; i++)
        if (i % neighbours(i))
            mm->free(blocks[i]);
    size_t used = mm->used();
    ck_assert_uint_ge(mm->trim(), (N * 1500 - used) / 2);
    ck_assert_uint_le(mm->used(), used);
    ck_healthy();
    for (int i = 0; i < N; i++)
        if (i % neighbours(i))
            blocks[i] = take(1500, i);
    for (int i = 0; i < N; i++) {
        ck_filled(blocks[i], 1500, i & 255);
        mm->free(blocks[i]);
    }
    ck_healthy();
}
END_TEST

static void count_in_slabs(const struct mm_piece *piece, void *n)
{
    *(size_t *)n += piece->in_slab;
}

/* Blocks that lie in slabs, free ones, too. */
static size_t slab_blocks(void)
{
    size_t n = 0;
    mm->walk(count_in_slabs, &n);
    return n;
}

/* While its thread goes on, a class's last slab may stay. */
START_TEST(trim_leaves_no_empty_slab)
{
    enum { N = 1000 };
    static char *blocks[N];
    begin(_i);
    for (int i = 0; i < N; i++)
        blocks[i] = take(96, 'x'); /* tight: each stage has slabs for it */
    ck_assert_uint_gt(slab_blocks(), 0);
    for (int i = 0; i < N; i++)
        mm->free(blocks[i]);
    mm->trim();
    ck_assert_uint_eq(slab_blocks(), 0);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_block_counts_while_it_is_in_use,
                                  blocks_of_all_threads_count,
                                  trim_gives_back_and_keeps_what_is_in_use,
                                  trim_leaves_no_empty_slab, NULL};
    return run_stage_tests("tell", tests);
}
