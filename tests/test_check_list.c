/* test_check_list.c - mm_check: each kind of damage to the free lists is
 * planted, and named with its invariant and its place. */
#include "tests/damage.h"

START_TEST(h5_a_free_block_in_no_list)
{
    fill_heap();
    list_remove(heap, live.listed, block_size(live.listed));
    ck_names("H5", heap);
}
END_TEST

START_TEST(h5_a_used_block_in_a_list)
{
    fill_heap();
    list_insert(heap, live.used, block_size(live.used));
    ck_names("H5", live.used);
}
END_TEST

START_TEST(h5_a_block_in_the_list_of_another_size)
{
    fill_heap();
    list_remove(heap, live.listed, block_size(live.listed));
    list_insert(heap, live.listed, 3 * block_size(live.listed));
    ck_names("H5", live.listed);
}
END_TEST

START_TEST(h5_the_victim_is_in_a_list_too)
{
    fill_heap();
    struct block *v = heap->fit.victim;
    list_insert(heap, v, block_size(v));
    ck_names("H5", heap);
}
END_TEST

START_TEST(h5_a_victim_that_is_in_use)
{
    fill_heap();
    heap->fit.victim = live.used;
    ck_names("H5", live.used);
}
END_TEST

START_TEST(h5_a_victim_in_the_middle_of_a_block)
{
    fill_heap();
    heap->fit.victim = block_at(live.used, 4 * ALIGN);
    ck_names("H5", heap->fit.victim);
}
END_TEST

START_TEST(h6_a_list_without_its_bit)
{
    fill_heap();
    unsigned c = size_class(block_size(live.listed));
    unmark_class(&heap->fit, c);
    ck_names("H6", &heap->fit.heads[c]);
}
END_TEST

START_TEST(h6_a_bit_without_a_list)
{
    fill_heap();
    unsigned c = size_class(50000);
    mark_class(&heap->fit, c);
    ck_names("H6", &heap->fit.heads[c]);
}
END_TEST

START_TEST(h6_a_word_that_the_summary_forgot)
{
    fill_heap();
    unsigned word = size_class(block_size(live.listed)) / 64;
    heap->fit.summary &= ~(1ull << word);
    ck_names("H6", &heap->fit.bitmap[word]);
}
END_TEST

START_TEST(h6_a_link_that_is_not_symmetric)
{
    fill_heap();
    live.listed->prev = block_link(heap->fit.base, live.used);
    ck_names("H6", live.listed);
}
END_TEST

START_TEST(h6_a_link_out_of_the_heap)
{
    fill_heap();
    live.listed->next = UINT32_MAX;
    ck_names("H6", link_block(heap->fit.base, UINT32_MAX));
}
END_TEST

START_TEST(h6_a_list_that_is_a_ring)
{
    fill_heap();
    live.listed->next = block_link(heap->fit.base, live.listed);
    live.listed->prev = block_link(heap->fit.base, live.listed);
    ck_names("H6", live.listed);
}
END_TEST

START_TEST(h7_a_count_of_dirty_bytes_that_is_wrong)
{
    fill_heap();
    heap->dirty += ALIGN;
    ck_names("H7", heap);
}
END_TEST

START_TEST(h7_a_count_of_clean_bytes_that_is_wrong)
{
    fill_heap();
    heap->clean += ALIGN;
    ck_names("H7", heap);
}
END_TEST

START_TEST(h7_a_block_that_says_purged_and_is_counted_dirty)
{
    fill_heap();
    free_set_dirty(live.dirty, block_size(live.dirty), 0);
    ck_names("H7", heap);
}
END_TEST

START_TEST(h7_a_block_with_more_dirty_bytes_than_it_has)
{
    fill_heap();
    size_t size = block_size(live.dirty);
    free_set_dirty(live.dirty, size, size + 1);
    ck_names("H7", live.dirty);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        h5_a_free_block_in_no_list,
        h5_a_used_block_in_a_list,
        h5_a_block_in_the_list_of_another_size,
        h5_the_victim_is_in_a_list_too,
        h5_a_victim_that_is_in_use,
        h5_a_victim_in_the_middle_of_a_block,
        h6_a_list_without_its_bit,
        h6_a_bit_without_a_list,
        h6_a_word_that_the_summary_forgot,
        h6_a_link_that_is_not_symmetric,
        h6_a_link_out_of_the_heap,
        h6_a_list_that_is_a_ring,
        h7_a_count_of_dirty_bytes_that_is_wrong,
        h7_a_count_of_clean_bytes_that_is_wrong,
        h7_a_block_that_says_purged_and_is_counted_dirty,
        h7_a_block_with_more_dirty_bytes_than_it_has,
        NULL};
    return run_heap_tests("check-list", tests);
}
