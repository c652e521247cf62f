/* test_heap_align.c - the engine: aligned blocks. */
#include "tests/heap_test.h"

#define MOST_ALIGN ((size_t)1 << 22)

static void ck_aligned(size_t align, size_t size)
{
    char *p = arena_memalign(&arena, align, size);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % align, 0);
    ck_assert_uint_ge(arena_usable(p), size);
    memset(p, 'x', size);
}

START_TEST(every_power_of_two_is_kept)
{
    static const size_t sizes[] = {0, 1, 8, 32, 100, 1000, 4088, 50000};
    for (size_t align = 1; align <= MOST_ALIGN; align *= 2)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            ck_aligned(align, sizes[i]);
            ck_healthy();
        }
}
END_TEST

START_TEST(what_is_left_before_and_behind_is_free)
{
    void *p = take(20000, 'x');
    take(100, 'x');
    give_back(p);
    size_t nfree = free_blocks();
    struct block *b = payload_block(arena_memalign(&arena, 4096, 1000));
    ck_assert((char *)b > (char *)p);
    ck_assert(!prev_used(b) && !block_used(block_next(b)));
    ck_assert_uint_eq(free_blocks(), nfree + 1);
    ck_healthy();
    give_back(block_payload(b));
    ck_assert_uint_eq(free_blocks(), nfree);
    ck_healthy();
}
END_TEST

START_TEST(a_free_block_that_fits_by_luck_is_used)
{
    char *p = arena_memalign(&arena, 4096, 3000);
    take(100, 'x');
    give_back(p);
    size_t size = heap->size;
    ck_assert_ptr_eq(arena_memalign(&arena, 4096, 3000), p);
    ck_assert_uint_eq(heap->size, size);
    ck_healthy();
}
END_TEST

START_TEST(the_heap_grows_by_what_the_alignment_lacks_only)
{
    take(100, 'x');
    char *end = (char *)heap_top(heap) + HEADER_SIZE;
    char *p = arena_memalign(&arena, 1 << 16, 3000);
    ck_assert_ptr_eq(p, (char *)round_up((uintptr_t)end, 1 << 16));
    ck_assert_ptr_eq(mem_brk(), p + request_to_block(3000));
    ck_healthy();
}
END_TEST

START_TEST(the_first_block_of_a_heap_and_of_a_region_may_be_aligned)
{
    ck_aligned(1 << 20, 100);
    mem_sbrk(64);
    ck_aligned(1 << 20, 1 << 20);
    ck_assert_uint_eq(regions(), 2);
    ck_healthy();
}
END_TEST

START_TEST(alignments_that_cannot_be_fail_and_change_nothing)
{
    take(100, 'x');
    static const size_t sizes[] = {0,         1,          5000, (size_t)1 << 40,
                                   MAX_BLOCK, PTRDIFF_MAX};
    size_t size = heap->size, nfree = free_blocks();
    for (unsigned bit = 47; bit < 63; bit++) /* no address is so aligned */
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            errno = 0;
            ck_assert_ptr_null(
                arena_memalign(&arena, (size_t)1 << bit, sizes[i]));
            ck_assert_int_eq(errno, ENOMEM);
        }
    ck_healthy();
    ck_assert_uint_eq(heap->size, size);
    ck_assert_uint_eq(free_blocks(), nfree);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        every_power_of_two_is_kept,
        what_is_left_before_and_behind_is_free,
        a_free_block_that_fits_by_luck_is_used,
        the_heap_grows_by_what_the_alignment_lacks_only,
        the_first_block_of_a_heap_and_of_a_region_may_be_aligned,
        alignments_that_cannot_be_fail_and_change_nothing,
        NULL};
    return run_heap_tests("heap-align", tests);
}
