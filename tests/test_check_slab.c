/* test_check_slab.c - mm_check: each kind of damage to slabs is planted, and
 * named with its invariant and its place. */
#include "tests/damage.h"

#define CLASS 2u /* requests of 25..32 bytes */
#define TIGHT_SIZE ((size_t)CLASS * ALIGN)

/* Live heap: tight blocks with headers, a slab that is full, two in the list.
 */
static struct slab *full, *partial, *other;
static void *tight; /* with a header */

static void fill_runs(void)
{
    void *p;
    tight = take(TIGHT_SIZE, 'x');
    ck_assert_uint_eq(page_tag(tight), 0);
    while (page_tag(p = take(TIGHT_SIZE, 'x')) == 0)
        ;
    full = payload_slab(p);
    while (payload_slab(p) == full)
        p = take(TIGHT_SIZE, 'x');
    other = payload_slab(p);
    while (payload_slab(p) == other)
        p = take(TIGHT_SIZE, 'x');
    partial = payload_slab(p);
    give_back((char *)other + SLAB_START);
    ck_assert_uint_eq(full->used, full->capacity);
    ck_assert_ptr_eq(link_slab(heap, arena.slabs.partial[CLASS]), other);
    ck_assert_ptr_eq(link_slab(heap, other->next), partial);
    ck_healthy();
}

START_TEST(full_and_partial_runs_are_healthy)
{
    fill_runs();
    ck_assert_uint_eq(arena_check(), 0);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(r1_a_free_bit_beyond_the_capacity)
{
    fill_runs();
    full->free[full->capacity / 64] |= 1ull << (full->capacity % 64);
    ck_names("R1", full);
}
END_TEST

START_TEST(r2_a_used_block_whose_bit_says_free)
{
    fill_runs();
    partial->free[0] |= 1;
    ck_names("R2", partial);
}
END_TEST

START_TEST(r2_a_count_of_used_blocks_that_is_wrong)
{
    fill_runs();
    partial->used++;
    ck_names("R2", partial);
}
END_TEST

START_TEST(r3_a_slab_with_free_blocks_in_no_list)
{
    fill_runs();
    slab_list_remove(heap, &arena.slabs, partial);
    ck_names("R3", partial);
}
END_TEST

START_TEST(r3_a_full_slab_in_the_list)
{
    fill_runs();
    slab_list_insert(heap, &arena.slabs, full);
    ck_names("R3", full);
}
END_TEST

START_TEST(r3_links_that_are_not_symmetric)
{
    fill_runs();
    partial->prev = slab_link(heap, full);
    ck_names("R3", partial);
}
END_TEST

START_TEST(r3_a_list_that_is_a_ring)
{
    fill_runs();
    partial->next = slab_link(heap, other);
    other->prev = slab_link(heap, partial);
    ck_assert_uint_ge(arena_check(), 1);
    ck_assert(names("R3", other) || names("R3", payload_block(other)) ||
              names("R3", payload_block(partial)));
}
END_TEST

START_TEST(r3_a_slab_in_the_list_of_another_class)
{
    fill_runs();
    arena.slabs.partial[CLASS + 1] = slab_link(heap, partial);
    ck_names("R3", payload_block(partial));
}
END_TEST

START_TEST(r3_a_list_that_leads_to_a_block_without_a_slab)
{
    fill_runs();
    partial->next = block_link(heap, payload_block(tight));
    ck_names("R3", payload_block(tight));
}
END_TEST

START_TEST(r3_a_list_that_leads_out_of_the_heap)
{
    fill_runs();
    partial->next = UINT32_MAX;
    ck_names("R3", link_block(heap, UINT32_MAX));
}
END_TEST

START_TEST(r4_a_tag_of_another_class)
{
    fill_runs();
    page_set_tag(full, CLASS + 1);
    ck_names("R4", full);
}
END_TEST

START_TEST(r4_a_tag_and_a_slab_of_a_class_that_does_not_exist)
{
    fill_runs();
    full->class = SLAB_CLASSES + 1;
    page_set_tag(full, SLAB_CLASSES + 1);
    ck_names("R4", full);
}
END_TEST

START_TEST(r4_a_tag_on_a_page_of_a_used_block)
{
    fill_runs();
    char *large = take(10 * PAGE, 'x');
    char *page = (char *)round_up((uintptr_t)large, PAGE);
    page_set_tag(page, CLASS);
    ck_names("R4", page);
}
END_TEST

START_TEST(r4_a_tag_that_a_free_block_kept)
{
    fill_runs();
    char *large = take(10 * PAGE, 'x');
    take(10 * PAGE, 'x');
    give_back(large);
    char *page = (char *)round_up((uintptr_t)large, PAGE) + 3 * PAGE;
    page_set_tag(page, CLASS);
    ck_names("R4", page);
}
END_TEST

START_TEST(r5_a_count_of_live_tight_blocks_that_is_wrong)
{
    fill_runs();
    arena.slabs.live[CLASS]--;
    ck_names("R5", &arena.slabs.live[CLASS]);
}
END_TEST

START_TEST(r5_a_tight_block_that_lost_its_bit)
{
    fill_runs();
    payload_block(tight)->header |= BLOCK_ROOMY;
    ck_names("R5", &arena.slabs.live[CLASS]);
}
END_TEST

START_TEST(r5_a_large_block_that_says_tight)
{
    fill_runs();
    struct block *b = payload_block(take(5000, 'x'));
    b->header &= ~BLOCK_ROOMY;
    ck_names("R5", b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        full_and_partial_runs_are_healthy,
        r1_a_free_bit_beyond_the_capacity,
        r2_a_used_block_whose_bit_says_free,
        r2_a_count_of_used_blocks_that_is_wrong,
        r3_a_slab_with_free_blocks_in_no_list,
        r3_a_full_slab_in_the_list,
        r3_links_that_are_not_symmetric,
        r3_a_list_that_is_a_ring,
        r3_a_slab_in_the_list_of_another_class,
        r3_a_list_that_leads_to_a_block_without_a_slab,
        r3_a_list_that_leads_out_of_the_heap,
        r4_a_tag_of_another_class,
        r4_a_tag_and_a_slab_of_a_class_that_does_not_exist,
        r4_a_tag_on_a_page_of_a_used_block,
        r4_a_tag_that_a_free_block_kept,
        r5_a_count_of_live_tight_blocks_that_is_wrong,
        r5_a_tight_block_that_lost_its_bit,
        r5_a_large_block_that_says_tight,
        NULL};
    return run_heap_tests("check-slab", tests);
}
