/* test_heap.c - the engine: split, merge, grow, regions. test_heap_resize.c,
 * test_heap_align.c and test_heap_purge.c have the rest. */
#include "tests/heap_test.h"

static struct block *block(size_t size)
{
    return payload_block(take(size, 'x'));
}

/* With a first block, which takes what a new heap puts aside for small ones. */
static void begin(void)
{
    arena_begin();
    block(100);
}

/* The free block at b, of this size and nothing else free: else fails. */
static void ck_one_free(const struct block *b, size_t size)
{
    ck_healthy();
    ck_assert_uint_eq(free_blocks(), 1);
    ck_assert(!block_used(b));
    ck_assert_uint_eq(block_size(b), size);
}

START_TEST(a_request_gets_the_smallest_block_that_holds_it)
{
    static const struct {
        size_t size, asize;
    } want[] = {{0, 16},    {1, 16},      {8, 16},      {9, 32},     {24, 32},
                {25, 48},   {40, 48},     {41, 64},     {136, 144},  {137, 160},
                {500, 512}, {1016, 1024}, {1017, 1040}, {5000, 5008}};
    for (size_t i = 0; i < sizeof want / sizeof *want; i++)
        ck_assert_uint_eq(payload_size(take(want[i].size, 'x')), want[i].asize);
    ck_healthy();
}
END_TEST

START_TEST(small_blocks_made_in_turn_from_a_free_block_lie_side_by_side)
{
    struct block *large = block(10000), *wall = block(5000);
    give_back(block_payload(large));
    char *at = block_payload(large);
    for (int i = 0; i < 20; i++, at += 112)
        ck_assert_ptr_eq(take(100, 'x'), at);
    ck_one_free(payload_block(at), 10016 - 20 * 112);
    ck_assert(!prev_used(wall));
}
END_TEST

START_TEST(a_large_block_is_cut_from_the_high_end)
{
    struct block *large = block(10000), *wall = block(5000);
    give_back(block_payload(large));
    struct block *b = block(2000);
    ck_assert_ptr_eq(block_next(b), wall);
    ck_assert(prev_used(wall) && !prev_used(b));
    ck_one_free(large, 10016 - block_size(b));
}
END_TEST

/* Free three blocks in every order: they become one. */
static void ck_merge(size_t size, const int order[3])
{
    begin();
    struct block *b[3];
    for (int i = 0; i < 3; i++)
        b[i] = block(size);
    struct block *wall = block(5000);
    size_t all = (size_t)((char *)wall - (char *)b[0]);
    for (int i = 0; i < 3; i++) {
        give_back(block_payload(b[order[i]]));
        ck_healthy();
    }
    ck_one_free(b[0], all);
    ck_assert(!prev_used(wall));
}

START_TEST(free_merges_with_both_neighbours_in_every_order)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    static const size_t sizes[] = {0, 20, 1000, 3000, 200000};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int i = 0; i < 6; i++)
            ck_merge(sizes[s], orders[i]);
}
END_TEST

START_TEST(a_mini_is_found_by_the_block_behind_it)
{
    struct block *before = block(1000), *mini = block(0), *after = block(1000);
    block(1000);
    give_back(block_payload(mini));
    ck_assert(after->header & BLOCK_PREV_MINI);
    ck_assert_ptr_eq(block_prev(after), mini);
    ck_healthy();
    give_back(block_payload(before));
    ck_assert(!(after->header & BLOCK_PREV_MINI));
    ck_assert_ptr_eq(block_prev(after), before);
    ck_healthy();
}
END_TEST

START_TEST(the_heap_grows_by_the_shortfall_only)
{
    block(3000);
    struct block *last = block(2000);
    size_t size = heap->size;
    give_back(block_payload(last));
    struct block *b = block(5000);
    ck_assert_ptr_eq(b, last);
    ck_assert_uint_eq(heap->size - size, block_size(b) - 2016);
    ck_assert_uint_eq(heap->size, mem_heapsize());
    ck_healthy();
}
END_TEST

START_TEST(when_another_takes_the_break_a_new_region_begins)
{
    struct block *old = block(5000);
    char *wall = mem_sbrk(64);
    memset(wall, 0x55, 64);
    struct block *b = block(6000);
    ck_assert_uint_eq(regions(), 2);
    ck_assert((char *)b > wall);
    ck_healthy();
    for (int i = 0; i < 50; i++) {
        block(5000);
        mem_sbrk(16);
    }
    ck_assert_uint_gt(regions(), 3);
    ck_healthy();
    give_back(block_payload(old));
    give_back(block_payload(b));
    ck_healthy();
    ck_filled(wall, 64, 0x55);
}
END_TEST

START_TEST(blocks_of_different_regions_are_never_merged)
{
    struct block *b[40];
    for (int i = 0; i < 40; i++) {
        b[i] = block(9000);
        mem_sbrk(64);
    }
    for (int i = 0; i < 40; i++)
        give_back(block_payload(b[i * 7 % 40]));
    ck_healthy();
    ck_assert_uint_eq(free_blocks(), regions());
}
END_TEST

START_TEST(a_heap_of_a_whole_zone_is_healthy_and_full)
{
    block(1000);
    size_t left = MEM_ZONE - mem_pagesize() - mem_heapsize();
    errno = 0;
    ck_assert_ptr_null(heap_malloc(heap, left + ALIGN));
    ck_assert_int_eq(errno, ENOMEM);
    /* In pieces: a system refuses at once more than its memory. */
    const size_t most = (size_t)1 << 30;
    struct block *all[MEM_ZONE >> 30];
    size_t n = 0;
    for (size_t rest = left; rest; rest -= block_size(all[n++])) {
        all[n] = heap_malloc(heap, min_size(rest, most));
        ck_assert_ptr_nonnull(all[n]);
        arena_own(&arena, all[n], block_size(all[n]));
    }
    ck_assert_ptr_null(heap_malloc(heap, 2048));
    ck_healthy();
    while (n)
        give_back(block_payload(all[--n]));
    ck_healthy();
    give_back(arena_own(&arena, heap_malloc(heap, 2048), 2048));
    ck_one_free(all[0], left);
}
END_TEST

START_TEST(impossible_sizes_fail_and_change_nothing)
{
    struct block *b = block(3000);
    block(3000);
    give_back(block_payload(b));
    static const size_t sizes[] = {MEM_ZONE,        MAX_BLOCK - ALIGN,
                                   MAX_BLOCK,       MAX_BLOCK + ALIGN,
                                   (size_t)1 << 62, (size_t)1 << 63};
    size_t size = heap->size;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        ck_assert_ptr_null(heap_malloc(heap, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
        ck_healthy();
    }
    ck_assert_uint_eq(heap->size, size);
    ck_assert_ptr_eq(block(3000), b);
}
END_TEST

START_TEST(a_fixed_heap_serves_what_it_has_and_does_not_grow)
{
    struct block *b = block(3000);
    block(3000);
    give_back(block_payload(b));
    size_t size = heap->size;
    heap->may_grow = false;
    ck_assert_ptr_null(heap_malloc(heap, 4096));
    ck_assert_ptr_null(heap_memalign(heap, 4096, 4096));
    ck_assert_ptr_eq(heap_malloc(heap, 3008), b);
    arena_own(&arena, b, block_size(b));
    ck_assert_uint_eq(heap->size, size);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_request_gets_the_smallest_block_that_holds_it,
        small_blocks_made_in_turn_from_a_free_block_lie_side_by_side,
        a_large_block_is_cut_from_the_high_end,
        free_merges_with_both_neighbours_in_every_order,
        a_mini_is_found_by_the_block_behind_it,
        the_heap_grows_by_the_shortfall_only,
        when_another_takes_the_break_a_new_region_begins,
        blocks_of_different_regions_are_never_merged,
        a_heap_of_a_whole_zone_is_healthy_and_full,
        impossible_sizes_fail_and_change_nothing,
        a_fixed_heap_serves_what_it_has_and_does_not_grow,
        NULL};
    return run_tests("heap", begin, tests);
}
