/* test_mm.c - the contract of ISO C and POSIX, in each stage. realloc:
 * test_mm_realloc.c; lack of memory: test_mm_limits.c. */
#include "tests/mm_test.h"

START_TEST(malloc_of_nothing_is_a_block_of_its_own)
{
    begin(_i);
    char *blocks[300];
    for (int i = 0; i < 300; i++) {
        blocks[i] = mm->malloc(0);
        ck_assert_ptr_nonnull(blocks[i]);
        for (int j = 0; j < i; j++)
            ck_assert(blocks[i] != blocks[j]);
    }
    for (int i = 0; i < 300; i++)
        mm->free(blocks[i]);
    ck_healthy();
}
END_TEST

START_TEST(blocks_of_every_size_are_aligned_apart_and_whole)
{
    enum { MOST = 3000 };
    begin(_i);
    static char *blocks[MOST];
    for (int size = 0; size < MOST; size++)
        blocks[size] = take((size_t)size, size);
    for (int size = 0; size < MOST; size++) {
        ck_filled(blocks[size], (size_t)size, size);
        mm->free(blocks[size]);
    }
    ck_healthy();
}
END_TEST

START_TEST(all_of_usable_size_may_be_used)
{
    begin(_i);
    static char *blocks[2000];
    ck_assert_uint_eq(mm->usable_size(NULL), 0);
    for (int i = 0; i < 2000; i++) {
        size_t size = (size_t)i * (size_t)i % 5000;
        blocks[i] = take(size, 0);
        size_t usable = mm->usable_size(blocks[i]);
        ck_assert_uint_ge(usable, size);
        ck_assert_uint_le(usable, size + 24 + (size > 1024 ? size / 8 : 0));
        memset(blocks[i], i, usable);
    }
    for (int i = 0; i < 2000; i++) {
        ck_filled(blocks[i], mm->usable_size(blocks[i]), i);
        mm->free(blocks[i]);
    }
    ck_healthy();
}
END_TEST

START_TEST(sizes_beyond_ptrdiff_max_fail)
{
    begin(_i);
    char *p = take(100, 'k');
    static const size_t sizes[] = {(size_t)PTRDIFF_MAX + 1,
                                   (size_t)PTRDIFF_MAX + 16, SIZE_MAX - 32,
                                   SIZE_MAX - 8, SIZE_MAX};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_fails(mm->malloc(sizes[i]), ENOMEM);
        ck_fails(mm->calloc(1, sizes[i]), ENOMEM);
        ck_fails(mm->calloc(sizes[i], 1), ENOMEM);
        ck_fails(mm->realloc(p, sizes[i]), ENOMEM);
        ck_fails(mm->realloc(NULL, sizes[i]), ENOMEM);
        ck_fails(mm->memalign(4096, sizes[i]), ENOMEM);
    }
    ck_filled(p, 100, 'k');
    ck_healthy();
}
END_TEST

/* Rounded up they are small again, and blocks of all small sizes wait. */
START_TEST(sizes_that_wrap_fail_whatever_waits)
{
    enum { EACH = 200 };
    static char *held[2 * EACH];
    begin(_i);
    for (size_t size = 8; size <= 1040; size += size < 64 ? 8 : 244) {
        for (int i = 0; i < 2 * EACH; i++)
            held[i] = mm->malloc(size);
        for (int i = 0; i < 2 * EACH; i++)
            if (i % 2 || size > 64)
                mm->free(held[i]);
    }
    for (size_t less = 0; less < 64; less++) {
        ck_fails(mm->malloc(SIZE_MAX - less), ENOMEM);
        ck_fails(mm->calloc(1, SIZE_MAX - less), ENOMEM);
        ck_fails(mm->realloc(held[0], SIZE_MAX - less), ENOMEM);
        ck_fails(mm->memalign(16, SIZE_MAX - less), ENOMEM);
    }
    ck_healthy();
}
END_TEST

START_TEST(sizes_that_are_merely_impossible_fail_and_change_nothing)
{
    begin(_i);
    char *p = take(1000, 'k');
    size_t heap = mem_heapsize();
    for (unsigned bit = 37; bit < 63; bit++)
        for (int less = -1; less <= 1; less++) {
            size_t size = ((size_t)1 << bit) - 9 + (size_t)less * 8;
            ck_fails(mm->malloc(size), ENOMEM);
            ck_fails(mm->realloc(p, size), ENOMEM);
            ck_fails(mm->memalign(64, size), ENOMEM);
        }
    ck_fails(mm->malloc(PTRDIFF_MAX), ENOMEM);
    ck_filled(p, 1000, 'k');
    ck_assert_uint_eq(mem_heapsize(), heap);
    ck_healthy();
}
END_TEST

START_TEST(calloc_sees_that_its_product_overflows)
{
    begin(_i);
    static const size_t pairs[][2] = {
        {SIZE_MAX, 2},
        {2, SIZE_MAX},
        {(size_t)1 << 32, (size_t)1 << 32},
        {((size_t)1 << 32) + 1, ((size_t)1 << 32) + 1},
        {SIZE_MAX / 2 + 1, 2},
        {SIZE_MAX / 3 + 1, 3},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        ck_fails(mm->calloc(pairs[i][0], pairs[i][1]), ENOMEM);
    ck_healthy();
}
END_TEST

START_TEST(calloc_is_zero_where_others_wrote_before)
{
    static const size_t sizes[] = {1,    8,     16,    24,     32,     100,
                                   128,  1000,  1024,  5000,   100000, MIB,
                                   4096, 65536, 40000, 300000, 48,     64};
    enum { NSIZES = sizeof sizes / sizeof *sizes };
    begin(_i);
    char *blocks[NSIZES];
    for (int round = 0; round < 5; round++) {
        for (int i = 0; i < NSIZES; i++) {
            blocks[i] = mm->calloc(sizes[i], 1);
            ck_filled(blocks[i], sizes[i], 0);
            memset(blocks[i], 0xff, mm->usable_size(blocks[i]));
        }
        for (int i = 0; i < NSIZES; i++)
            mm->free(blocks[(i * 5 + round) % NSIZES]);
    }
    ck_healthy();
}
END_TEST

START_TEST(calloc_of_nothing_is_a_block)
{
    begin(_i);
    char *a = mm->calloc(0, 100), *b = mm->calloc(100, 0);
    ck_assert(a && b && a != b);
    mm->free(a);
    mm->free(b);
    ck_healthy();
}
END_TEST

START_TEST(free_of_null_does_nothing_and_free_keeps_errno)
{
    begin(_i);
    errno = EDOM;
    mm->free(NULL);
    for (size_t size = 0; size < 100 * MIB; size = size * 3 + 7) {
        char *p = take(size, 'x');
        errno = EDOM;
        mm->free(p);
        ck_assert_int_eq(errno, EDOM);
    }
    ck_healthy();
}
END_TEST

START_TEST(memalign_keeps_every_power_of_two)
{
    static const size_t sizes[] = {0, 1, 16, 32, 100, 1000, 5000, 100000};
    begin(_i);
    for (size_t align = 1; align <= MIB; align *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            char *p = mm->memalign(align, sizes[i]);
            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % align, 0);
            ck_assert_uint_eq((uintptr_t)p % 16, 0);
            memset(p, 'x', sizes[i]);
            if (i % 2)
                mm->free(p);
        }
    ck_healthy();
}
END_TEST

START_TEST(memalign_refuses_what_is_no_power_of_two)
{
    static const size_t aligns[] = {0, 3, 24, 4095, 4097, SIZE_MAX};
    begin(_i);
    for (size_t i = 0; i < sizeof aligns / sizeof *aligns; i++)
        ck_fails(mm->memalign(aligns[i], 100), EINVAL);
    for (unsigned bit = 38; bit < 64; bit++)
        ck_fails(mm->memalign((size_t)1 << bit, 100), ENOMEM);
    ck_healthy();
}
END_TEST

START_TEST(contains_knows_live_blocks_and_no_others)
{
    begin(_i);
    for (size_t size = 0; size < MIB; size = size * 2 + 1) {
        char *p = take(size, 'x');
        ck_assert(mm->contains(p, size));
        ck_assert(!mm->contains(p, (size_t)1 << 40));
    }
    char variable = 0;
    ck_assert(!mm->contains(&variable, 1));
    ck_healthy();
}
END_TEST

START_TEST(stats_count_the_heap_and_its_peak)
{
    begin(_i);
    struct mm_stats before, now;
    mm->stats(&before);
    char *p = take(10 * MIB, 'x');
    mm->stats(&now);
    ck_assert_uint_ge(now.heap, before.heap + 10 * MIB);
    ck_assert_uint_le(now.heap, before.heap + 10 * MIB + 100 * KIB);
    ck_assert_uint_eq(now.heap_peak, now.heap);
    ck_assert_uint_gt(now.metadata, 0);
    mm->free(p);
    mm->stats(&now);
    ck_assert_uint_ge(now.heap_peak, now.heap);
    ck_healthy();
}
END_TEST

START_TEST(after_fini_and_init_the_heap_is_empty)
{
    begin(_i);
    for (int round = 0; round < 3; round++) {
        struct mm_stats s;
        mm->stats(&s);
        ck_assert_uint_lt(s.heap + s.heap_peak, 64 * KIB);
        for (size_t size = 1; size < 2 * MIB; size += size / 3 + 1) {
            char *p = mm->calloc(1, size);
            ck_filled(p, size, 0);
            memset(p, 0xff, size);
        }
        ck_healthy();
        mm->fini();
        ck_assert_int_eq(mm->init(), 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        malloc_of_nothing_is_a_block_of_its_own,
        blocks_of_every_size_are_aligned_apart_and_whole,
        all_of_usable_size_may_be_used,
        sizes_beyond_ptrdiff_max_fail,
        sizes_that_wrap_fail_whatever_waits,
        sizes_that_are_merely_impossible_fail_and_change_nothing,
        calloc_sees_that_its_product_overflows,
        calloc_is_zero_where_others_wrote_before,
        calloc_of_nothing_is_a_block,
        free_of_null_does_nothing_and_free_keeps_errno,
        memalign_keeps_every_power_of_two,
        memalign_refuses_what_is_no_power_of_two,
        contains_knows_live_blocks_and_no_others,
        stats_count_the_heap_and_its_peak,
        after_fini_and_init_the_heap_is_empty,
        NULL};
    return run_stage_tests("mm", tests);
}
