/* test_mm_realloc.c - realloc in each stage: it keeps the bytes on every way it
 * can take, and touches nothing when it fails. */
#include "tests/mm_test.h"

/* A pattern that no shifted copy matches. */
static char byte_of(size_t i)
{
    return (char)(i * 7 + i / 256);
}

static char *take_pattern(size_t size)
{
    char *p = take(size, 0);
    for (size_t i = 0; i < size; i++)
        p[i] = byte_of(i);
    return p;
}

static void ck_pattern(const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != byte_of(i))
            ck_abort_msg("%s: byte %zu of %zu is lost", mm->name, i, size);
}

/* Resize p from one size to another. @return where it is now */
static char *resize(char *p, size_t from, size_t to)
{
    p = mm->realloc(p, to);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % 16, 0);
    ck_assert_uint_ge(mm->usable_size(p), to);
    ck_pattern(p, from < to ? from : to);
    for (size_t i = from; i < to; i++)
        p[i] = byte_of(i);
    return p;
}

START_TEST(realloc_of_null_is_malloc)
{
    begin(_i);
    char *p = mm->realloc(NULL, 100);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_ge(mm->usable_size(p), 100);
    ck_assert_ptr_nonnull(mm->realloc(NULL, 0));
    ck_healthy();
}
END_TEST

START_TEST(realloc_to_nothing_frees)
{
    begin(_i);
    for (int i = 0; i < 1000; i++)
        ck_assert_ptr_null(mm->realloc(take(100 * KIB, 'x'), 0));
    ck_assert_uint_lt(mem_heapsize(), MIB);
    ck_healthy();
}
END_TEST

START_TEST(from_every_size_to_every_other_the_bytes_are_kept)
{
    static const size_t sizes[] = {1,    8,    9,    16,   24,   32,   33,
                                   64,   100,  120,  128,  129,  500,  1000,
                                   1016, 1024, 1025, 4000, 4088, 9000, 70000};
    enum { NSIZES = sizeof sizes / sizeof *sizes };
    begin(_i);
    for (int a = 0; a < NSIZES; a++)
        for (int b = 0; b < NSIZES; b++) {
            char *p = take_pattern(sizes[a]), *wall = take(40, 'w');
            p = resize(p, sizes[a], sizes[b]);
            ck_pattern(p, sizes[b]);
            ck_filled(wall, 40, 'w');
            mm->free(p);
            if (b % 3)
                mm->free(wall);
        }
    ck_healthy();
}
END_TEST

START_TEST(within_the_usable_size_a_block_stays)
{
    begin(_i);
    for (size_t size = 1; size < 10000; size += size / 5 + 1) {
        char *p = take_pattern(size);
        size_t usable = mm->usable_size(p);
        for (size_t to = size; to <= usable; to++)
            ck_assert_ptr_eq(resize(p, size, to), p);
    }
    ck_healthy();
}
END_TEST

START_TEST(a_small_block_that_moves_takes_all_that_it_could_hold_along)
{
    begin(_i);
    for (size_t size = 1; size < 600; size += 7) {
        char *p = take_pattern(size);
        size_t usable = mm->usable_size(p);
        for (size_t i = 0; i < usable; i++)
            p[i] = byte_of(i);
        mm->free(take(2 * usable, 'w'));
        mm->free(resize(p, usable, 2 * usable));
    }
    ck_healthy();
}
END_TEST

/* Have the threads of this stage bins? */
static bool has_front(int stage)
{
    return stages[stage] == &mm_arena || stages[stage] == &mm_lockfree;
}

START_TEST(with_a_cache_a_small_block_grows_into_one_that_waits)
{
    if (!has_front(_i))
        return;
    begin(_i);
    for (size_t size = 9; size <= 500; size++) {
        char *p = take_pattern(size), *q = take(2 * size + 8, 'w');
        take(size, 'w');
        mm->free(q);
        ck_assert_ptr_eq(resize(p, size, 2 * size + 8), q);
    }
    ck_healthy();
}
END_TEST

START_TEST(a_block_that_grows_byte_by_byte_keeps_its_bytes)
{
    begin(_i);
    char *p = take_pattern(1), *q = take_pattern(1);
    for (size_t size = 1; size < 3000; size++) {
        p = resize(p, size, size + 1);
        q = resize(q, size, size + 1);
    }
    ck_healthy();
}
END_TEST

START_TEST(a_large_block_shrinks_where_it_is_and_gives_the_rest_back)
{
    begin(_i);
    char *p = take_pattern(MIB);
    take(2000, 'w');
    size_t heap = mem_heapsize();
    ck_assert_ptr_eq(resize(p, MIB, 100 * KIB), p);
    take(900 * KIB, 'x');
    ck_assert_uint_eq(mem_heapsize(), heap);
    ck_pattern(p, 100 * KIB);
    ck_healthy();
}
END_TEST

START_TEST(a_block_grows_into_the_free_one_behind_it)
{
    begin(_i);
    char *p = take_pattern(20 * KIB), *next = take(20 * KIB, 'x');
    take(2000, 'w');
    mm->free(next);
    mm->trim(); /* it may have waited in a bin */
    ck_assert_ptr_eq(resize(p, 20 * KIB, 30 * KIB), p);
    ck_healthy();
}
END_TEST

/* Made, grown in small steps and freed, again and again: the heap's length is
 * bounded by what the block needs, not by how often it was made. */
START_TEST(a_block_that_grows_again_and_again_keeps_the_heap_short)
{
    begin(_i);
    size_t first = 0;
    for (int cycle = 0; cycle < 60; cycle++) {
        char *p = take(64 * KIB, 'p'), *beside[500];
        for (size_t i = 0; i < 500; i++) {
            beside[i] = take(16, 'b');
            p = mm->realloc(p, 64 * KIB + i * 40);
            ck_assert_ptr_nonnull(p);
        }
        mm->free(p);
        for (int i = 0; i < 500; i++)
            mm->free(beside[i]);
        if (!first)
            first = mem_heapsize();
    }
    ck_assert_uint_le(mem_heapsize(), 3 * first);
    ck_healthy();
}
END_TEST

START_TEST(the_last_block_grows_with_the_heap)
{
    begin(_i);
    char *p = take_pattern(100 * KIB);
    for (size_t size = 100 * KIB; size < 300 * KIB; size += 2 * KIB)
        ck_assert_ptr_eq(resize(p, size, size + 2 * KIB), p);
    ck_healthy();
}
END_TEST

/* As a log does, with others that come and go behind it. */
START_TEST(where_heaps_grow_in_steps_few_small_steps_change_a_block)
{
    if (stages[_i] != &mm_lockfree)
        return;
    begin(_i);
    char *p = take_pattern(20 * KIB);
    size_t changes = 0, steps = 0;
    for (size_t size = 20 * KIB; size < 60 * KIB; size += 16, steps++) {
        size_t usable = mm->usable_size(p);
        mm->free(take(100, 'w'));
        p = resize(p, size, size + 16);
        changes += mm->usable_size(p) != usable;
        ck_assert_uint_le(mm->usable_size(p), size + 16 + size / 16);
    }
    ck_assert_uint_le(changes, steps / 16);
    ck_healthy();
}
END_TEST

START_TEST(a_block_gives_back_much_but_not_a_little)
{
    if (!has_front(_i))
        return;
    begin(_i);
    char *p = take_pattern(100 * KIB);
    size_t usable = mm->usable_size(p);
    p = resize(p, 100 * KIB, 97 * KIB);
    ck_assert_uint_eq(mm->usable_size(p), usable);
    for (size_t size = 97 * KIB; size > 1 * KIB; size -= 100) {
        p = resize(p, size, size - 100);
        ck_assert_uint_le(mm->usable_size(p), size + size / 15);
    }
    ck_healthy();
}
END_TEST

START_TEST(a_block_moves_down_over_itself)
{
    begin(_i);
    char *before = take(5000, 'b'), *p = take_pattern(20 * KIB);
    take(2000, 'w');
    mm->free(before);
    p = resize(p, 20 * KIB, 24 * KIB);
    ck_pattern(p, 24 * KIB);
    ck_healthy();
}
END_TEST

START_TEST(an_aligned_block_can_be_resized)
{
    begin(_i);
    for (size_t align = 32; align <= 64 * KIB; align *= 2) {
        char *p = mm->memalign(align, 1000);
        for (size_t i = 0; i < 1000; i++)
            p[i] = byte_of(i);
        p = resize(p, 1000, 5000);
        p = resize(p, 5000, 10);
        mm->free(p);
    }
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        realloc_of_null_is_malloc,
        realloc_to_nothing_frees,
        from_every_size_to_every_other_the_bytes_are_kept,
        within_the_usable_size_a_block_stays,
        a_small_block_that_moves_takes_all_that_it_could_hold_along,
        with_a_cache_a_small_block_grows_into_one_that_waits,
        a_block_that_grows_byte_by_byte_keeps_its_bytes,
        a_large_block_shrinks_where_it_is_and_gives_the_rest_back,
        a_block_grows_into_the_free_one_behind_it,
        the_last_block_grows_with_the_heap,
        where_heaps_grow_in_steps_few_small_steps_change_a_block,
        a_block_gives_back_much_but_not_a_little,
        a_block_that_grows_again_and_again_keeps_the_heap_short,
        a_block_moves_down_over_itself,
        an_aligned_block_can_be_resized,
        NULL};
    return run_stage_tests("mm-realloc", tests);
}
