/* test_check.c - mm_check: each kind of damage to a heap's blocks is planted,
 * and named with its invariant and its place. test_check_list.c does the same
 * for the free lists, test_check_slab.c for runs. */
#include "tests/damage.h"

START_TEST(a_heap_with_blocks_of_all_kinds_is_healthy)
{
    fill_heap();
    ck_assert_uint_eq(arena_check(), 0);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(an_empty_heap_is_healthy)
{
    ck_assert_uint_eq(arena_check(), 0);
}
END_TEST

START_TEST(h1_a_size_of_zero_inside_a_region)
{
    fill_heap();
    live.used->header &= ~BLOCK_SIZE;
    ck_names("H1", live.used);
}
END_TEST

START_TEST(h1_a_size_beyond_the_region)
{
    fill_heap();
    live.used->header += (uint64_t)1 << 40;
    ck_names("H1", live.used);
}
END_TEST

START_TEST(h1_a_size_16_bytes_too_large_for_the_region)
{
    struct block *all = take_block(3000), *last = region_first();
    while (!block_is_end(block_next(last)))
        last = block_next(last);
    ck_healthy();
    last->header += ALIGN;
    ck_names("H1", last);
    ck_assert_ptr_nonnull(all);
}
END_TEST

START_TEST(h1_a_free_block_with_an_owner)
{
    fill_heap();
    live.listed->header |= (uint64_t)3 << BLOCK_OWNER_SHIFT;
    ck_names("H1", live.listed);
}
END_TEST

START_TEST(h1_an_end_header_that_says_free)
{
    fill_heap();
    region_last()->header |= BLOCK_FREE;
    ck_names("H1", region_last());
}
END_TEST

START_TEST(h1_an_end_header_with_a_size)
{
    fill_heap();
    region_last()->header |= MIN_BLOCK;
    ck_names("H1", region_last());
}
END_TEST

START_TEST(h2_the_block_before_is_free_and_its_successor_says_used)
{
    fill_heap();
    live.after_listed->header |= BLOCK_PREV_USED;
    ck_names("H2", live.after_listed);
}
END_TEST

START_TEST(h2_the_block_before_is_used_and_its_successor_says_free)
{
    fill_heap();
    live.listed->header &= ~BLOCK_PREV_USED;
    ck_names("H2", live.listed);
}
END_TEST

START_TEST(h2_the_mini_before_is_forgotten)
{
    fill_heap();
    live.after_mini->header &= ~BLOCK_PREV_MINI;
    ck_names("H2", live.after_mini);
}
END_TEST

START_TEST(h2_a_mini_before_that_is_none)
{
    fill_heap();
    live.after_listed->header |= BLOCK_PREV_MINI;
    ck_names("H2", live.after_listed);
}
END_TEST

START_TEST(h2_the_first_block_of_a_region_says_free_before)
{
    fill_heap();
    region_first()->header &= ~BLOCK_PREV_USED;
    ck_names("H2", region_first());
}
END_TEST

START_TEST(h2_the_end_header_is_wrong)
{
    fill_heap();
    region_last()->header ^= BLOCK_PREV_USED;
    ck_names("H2", region_last());
}
END_TEST

START_TEST(h3_two_free_blocks_side_by_side)
{
    fill_heap();
    block_set_free(live.after_listed, block_size(live.after_listed));
    ck_names("H3", live.after_listed);
}
END_TEST

START_TEST(h4_a_wrong_footer)
{
    fill_heap();
    *block_footer(live.listed) += ALIGN;
    ck_names("H4", live.listed);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_heap_with_blocks_of_all_kinds_is_healthy,
        an_empty_heap_is_healthy,
        h1_a_size_of_zero_inside_a_region,
        h1_a_size_beyond_the_region,
        h1_a_size_16_bytes_too_large_for_the_region,
        h1_a_free_block_with_an_owner,
        h1_an_end_header_that_says_free,
        h1_an_end_header_with_a_size,
        h2_the_block_before_is_free_and_its_successor_says_used,
        h2_the_block_before_is_used_and_its_successor_says_free,
        h2_the_mini_before_is_forgotten,
        h2_a_mini_before_that_is_none,
        h2_the_first_block_of_a_region_says_free_before,
        h2_the_end_header_is_wrong,
        h3_two_free_blocks_side_by_side,
        h4_a_wrong_footer,
        NULL};
    return run_heap_tests("check", tests);
}
