/* test_fit_tlsf.c - the policy of two levels of lists
 * (mm/engine/fit_tlsf.h). */
#define MM_FIT "mm/engine/fit_tlsf.h"
#include "tests/fit_test.h"

/* The first block of the first list that holds only large enough ones. */
static struct block *expected(size_t asize)
{
    for (size_t list = tlsf_list(tlsf_round(asize)); list < ROWS * COLUMNS;
         list++) {
        uint32_t link = *tlsf_head(&heap->fit, list);
        if (link)
            return link_block(heap->fit.base, link);
    }
    return NULL;
}

START_TEST(lists_rise_and_hold_what_they_promise)
{
    size_t last = 0;
    for (size_t size = MIN_BLOCK; size < (size_t)1 << 36;
         size += round_up(size / 100 + 1, ALIGN)) {
        size_t list = tlsf_list(size);
        ck_assert_uint_ge(list, last);
        ck_assert_uint_le(list - last, 1);
        ck_assert_uint_lt(list, ROWS * COLUMNS);
        last = list;
        /* rounded up by less than 1/32, to a size that begins a list */
        size_t least = tlsf_round(size) & ~(ALIGN - 1);
        ck_assert_uint_le(least - size, size / COLUMNS);
        ck_assert_uint_ge(tlsf_list(least), list);
        ck_assert_uint_le(tlsf_list(least), list + 1);
    }
    ck_assert_uint_eq(last, ROWS * COLUMNS - 1);
}
END_TEST

/* However many blocks are in the way, none of them is looked at. */
START_TEST(a_full_list_is_not_searched)
{
    enum { N = 1000 };
    static void *blocks[2 * N];
    for (int i = 0; i < 2 * N; i++)
        blocks[i] = take(2056, 'x');
    void *large = take(2104, 'x'), *wall = take(2104, 'x');
    for (int i = 0; i < 2 * N; i += 2)
        give_back(blocks[i]);
    give_back(large);
    retire_victim(heap);
    ck_assert_uint_eq(tlsf_list(2064), tlsf_list(2064 + 32));
    ck_assert_ptr_eq(fit_find(&heap->fit, 2064 + 32), payload_block(large));
    ck_assert_ptr_eq(
        fit_find(&heap->fit, 2048),
        link_block(heap->fit.base, *tlsf_head(&heap->fit, tlsf_list(2064))));
    ck_filled(wall, 2104, 'x');
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

START_TEST(h6_bits_that_lie)
{
    fill_heap();
    size_t list = tlsf_list(50000);
    heap->fit.columns[list / COLUMNS] |= 1u << list % COLUMNS;
    ck_names("H6", &heap->fit.columns[list / COLUMNS]);
    heap->fit.columns[list / COLUMNS] &= ~(1u << list % COLUMNS);
    heap->fit.rows ^= 1;
    ck_names("H6", &heap->fit.rows);
}
END_TEST

START_TEST(h6_a_link_that_is_not_symmetric)
{
    fill_heap();
    live.listed->prev = block_link(heap->fit.base, live.used);
    ck_names("H6", live.listed);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {FIT_TESTS,
                                  lists_rise_and_hold_what_they_promise,
                                  a_full_list_is_not_searched,
                                  h5_a_block_in_the_list_of_another_size,
                                  h6_bits_that_lie,
                                  h6_a_link_that_is_not_symmetric,
                                  NULL};
    return run_heap_tests("fit-tlsf", tests);
}
