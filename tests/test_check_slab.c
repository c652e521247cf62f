/* test_check_slab.c - mm_check: each kind of damage to slabs is planted, and
 * named with its invariant and its place. */
#include "tests/damage.h"

#define KIND 2u  /* requests of up to 32 bytes */
#define LONG 40u /* of up to 640: slabs of 4 pages */

/* Live heap: blocks with headers, a slab that is full, two in the list; and one
 * of two classes more, of the longer ones two pages are carved. */
static struct mem_page *full, *partial, *other, *longer;
static void *headed; /* a block of class KIND with a header */

static struct mem_page *slab_of(const void *p)
{
    return payload_slab(p);
}

static void *take_slab_block(unsigned c)
{
    void *p;
    while (page_tag(p = take(c * ALIGN, 'x')) == 0)
        headed = c == KIND ? p : headed;
    return p;
}

static void fill_slabs(void)
{
    arena.all_earn = true;
    void *p = take_slab_block(KIND);
    full = slab_of(p);
    while (slab_of(p) == full)
        p = take(KIND * ALIGN, 'x');
    other = slab_of(p);
    while (slab_of(p) == other)
        p = take(KIND * ALIGN, 'x');
    partial = slab_of(p);
    give_back(slab_start(other));
    longer = slab_of(take_slab_block(LONG));
    while (!longer[1].tag)
        take(LONG * ALIGN, 'x');
    ck_assert_ptr_nonnull(headed);
    ck_assert(!full->listed);
    ck_assert_ptr_eq(slab_at(arena.slabs.first[KIND]), partial);
    ck_assert_ptr_eq(slab_at(partial->next), other);
    ck_healthy();
}

START_TEST(full_and_partial_slabs_are_healthy)
{
    fill_slabs();
    ck_assert_uint_eq(arena_check(), 0);
    ck_assert_str_eq(said, "");
}
END_TEST

START_TEST(s1_a_free_block_that_leads_out_of_its_slab)
{
    fill_slabs();
    *(void **)partial->free = headed;
    ck_names("S1", headed);
}
END_TEST

START_TEST(s1_a_free_block_that_leads_into_a_block)
{
    fill_slabs();
    char *inside = slab_start(longer) + LONG * ALIGN + 16;
    longer->free = inside;
    ck_names("S1", inside);
}
END_TEST

START_TEST(s1_a_free_block_that_is_not_carved_yet)
{
    fill_slabs();
    char *next = slab_start(longer) + longer->carved * (LONG * ALIGN);
    longer->free = next;
    ck_names("S1", next);
}
END_TEST

START_TEST(s1_a_free_block_that_leads_to_itself)
{
    fill_slabs();
    void *p = partial->free;
    *(void **)p = p;
    ck_names("S1", p);
}
END_TEST

START_TEST(s1_a_free_block_that_is_written_to)
{
    fill_slabs();
    void *p = partial->free;
    block_clear_key(p);
    ck_names("S1", p);
}
END_TEST

START_TEST(s1_a_count_of_blocks_that_are_out_that_is_wrong)
{
    fill_slabs();
    partial->room++;
    ck_names("S1", slab_start(partial));
}
END_TEST

START_TEST(s1_free_blocks_that_are_lost)
{
    fill_slabs();
    longer->free = NULL;
    ck_names("S1", slab_start(longer));
}
END_TEST

/* s, listed, says that all its blocks are out. */
static void say_full(struct mem_page *s, unsigned c)
{
    slab_list_remove(&arena.slabs, s, c);
    s->room = 1;
}

START_TEST(s2_a_slab_that_is_not_listed_and_has_a_free_block)
{
    fill_slabs();
    say_full(other, KIND);
    ck_names("S2", slab_start(other));
}
END_TEST

START_TEST(s2_a_slab_that_is_not_listed_and_has_blocks_to_carve)
{
    fill_slabs();
    while (longer->free)
        take(LONG * ALIGN, 'x');
    say_full(longer, LONG);
    ck_names("S2", slab_start(longer));
}
END_TEST

START_TEST(s2_a_slab_that_would_miss_its_first_block)
{
    fill_slabs();
    full->room = 2;
    ck_names("S2", slab_start(full));
}
END_TEST

START_TEST(s3_a_slab_that_says_listed_in_no_list)
{
    fill_slabs();
    slab_list_remove(&arena.slabs, partial, KIND);
    partial->listed = true;
    ck_names("S3", &arena.slabs.first[KIND]);
}
END_TEST

START_TEST(s3_a_slab_in_the_list_that_says_not_listed)
{
    fill_slabs();
    slab_list_append(&arena.slabs, full, KIND);
    full->listed = false; /* all else of it is right */
    ck_names("S3", slab_start(full));
}
END_TEST

START_TEST(s3_a_full_slab_that_is_listed)
{
    fill_slabs();
    slab_list_append(&arena.slabs, full, KIND);
    full->room = full->carved;
    ck_names("S3", slab_start(full));
}
END_TEST

START_TEST(s3_links_that_are_not_symmetric)
{
    fill_slabs();
    other->prev = slab_index(full);
    ck_names("S3", slab_start(other));
}
END_TEST

START_TEST(s3_a_list_that_is_a_ring)
{
    fill_slabs();
    other->next = slab_index(partial);
    partial->prev = slab_index(other);
    ck_names("S3", slab_start(partial));
}
END_TEST

START_TEST(s3_a_last_slab_that_is_not)
{
    fill_slabs();
    arena.slabs.last[KIND] = slab_index(partial);
    ck_names("S3", &arena.slabs.last[KIND]);
}
END_TEST

START_TEST(s3_a_slab_in_the_list_of_another_class)
{
    fill_slabs();
    arena.slabs.first[KIND + 1] = slab_index(partial);
    ck_names("S3", slab_start(partial));
}
END_TEST

START_TEST(s3_a_list_that_leads_to_a_page_without_a_slab)
{
    fill_slabs();
    char *page = (char *)round_up((uintptr_t)take(10 * PAGE, 'x'), PAGE);
    other->next = (uint32_t)page_index(page);
    ck_names("S3", page);
}
END_TEST

START_TEST(s3_a_list_that_leads_out_of_the_heap)
{
    fill_slabs();
    other->next = UINT32_MAX;
    ck_names("S3", &arena.slabs.first[KIND]);
}
END_TEST

START_TEST(s4_a_tag_of_another_class)
{
    fill_slabs();
    page_set_tag(full, LONG * ALIGN);
    ck_names("S4", slab_start(full));
}
END_TEST

START_TEST(s4_a_tag_of_a_class_that_does_not_exist)
{
    fill_slabs();
    uint32_t tag = full->tag;
    page_set_tag(full, (SLAB_CLASSES + 1) * ALIGN);
    ck_names("S4", slab_start(full));
    page_set_tag(full, tag + 1);
    ck_names("S4", slab_start(full));
}
END_TEST

START_TEST(s4_a_later_page_of_another_class)
{
    fill_slabs();
    page_set_tag(longer + 1, KIND * ALIGN);
    ck_names("S4", slab_start(longer) + PAGE);
}
END_TEST

START_TEST(s4_a_page_that_says_another_place)
{
    fill_slabs();
    longer[1].units = 2 * PAGE_UNITS;
    ck_names("S4", slab_start(longer) + PAGE);
}
END_TEST

START_TEST(s4_a_carved_page_without_a_tag)
{
    fill_slabs();
    page_set_tag(longer + 1, 0);
    ck_names("S4", slab_start(longer) + PAGE);
}
END_TEST

START_TEST(s4_a_page_with_a_tag_that_is_not_carved)
{
    fill_slabs();
    page_set_tag(longer + 2, LONG * ALIGN);
    ck_names("S4", slab_start(longer) + 2 * PAGE);
}
END_TEST

START_TEST(s4_a_tag_on_a_page_of_a_used_block)
{
    fill_slabs();
    char *large = take(10 * PAGE, 'x');
    char *page = (char *)round_up((uintptr_t)large, PAGE);
    page_set_tag(slab_at((uint32_t)page_index(page)), KIND * ALIGN);
    ck_names("S4", page);
}
END_TEST

START_TEST(s4_a_tag_that_a_free_block_kept)
{
    fill_slabs();
    char *large = take(10 * PAGE, 'x');
    take(10 * PAGE, 'x');
    give_back(large);
    char *page = (char *)round_up((uintptr_t)large, PAGE) + 3 * PAGE;
    page_set_tag(slab_at((uint32_t)page_index(page)), KIND * ALIGN);
    ck_names("S4", page);
}
END_TEST

START_TEST(a_slab_of_another_owner)
{
    fill_slabs();
    page_set_tag(full, full->tag | owner_tag(7));
    ck_names("owner", slab_start(full));
}
END_TEST

START_TEST(a_later_page_of_another_owner)
{
    fill_slabs();
    page_set_tag(longer + 1, longer[1].tag | owner_tag(7));
    ck_names("owner", slab_start(longer) + PAGE);
}
END_TEST

START_TEST(a_block_with_a_header_of_another_owner)
{
    fill_slabs();
    header_set_owner(payload_block(headed), 7);
    ck_names("owner", headed);
}
END_TEST

START_TEST(s5_a_count_of_slabs_that_is_wrong)
{
    fill_slabs();
    arena.slabs.nslabs[LONG]++;
    ck_names("S5", &arena.slabs.nslabs[LONG]);
}
END_TEST

START_TEST(s5_a_slab_without_a_tag_is_none)
{
    fill_slabs();
    page_set_tag(full, 0);
    ck_names("S5", &arena.slabs.nslabs[KIND]);
}
END_TEST

START_TEST(s6_a_count_of_live_blocks_that_is_wrong)
{
    fill_slabs();
    arena.live[KIND + 1]--;
    ck_names("S6", &arena.live[KIND + 1]);
}
END_TEST

START_TEST(s6_a_block_that_the_heap_took_back_alone)
{
    fill_slabs();
    heap_free(heap, payload_block(headed));
    ck_names("S6", &arena.live[KIND + 1]);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        full_and_partial_slabs_are_healthy,
        s1_a_free_block_that_leads_out_of_its_slab,
        s1_a_free_block_that_leads_into_a_block,
        s1_a_free_block_that_is_not_carved_yet,
        s1_a_free_block_that_leads_to_itself,
        s1_a_free_block_that_is_written_to,
        s1_a_count_of_blocks_that_are_out_that_is_wrong,
        s1_free_blocks_that_are_lost,
        s2_a_slab_that_is_not_listed_and_has_a_free_block,
        s2_a_slab_that_is_not_listed_and_has_blocks_to_carve,
        s2_a_slab_that_would_miss_its_first_block,
        s3_a_slab_that_says_listed_in_no_list,
        s3_a_slab_in_the_list_that_says_not_listed,
        s3_a_full_slab_that_is_listed,
        s3_links_that_are_not_symmetric,
        s3_a_list_that_is_a_ring,
        s3_a_last_slab_that_is_not,
        s3_a_slab_in_the_list_of_another_class,
        s3_a_list_that_leads_to_a_page_without_a_slab,
        s3_a_list_that_leads_out_of_the_heap,
        s4_a_tag_of_another_class,
        s4_a_tag_of_a_class_that_does_not_exist,
        s4_a_later_page_of_another_class,
        s4_a_page_that_says_another_place,
        s4_a_carved_page_without_a_tag,
        s4_a_page_with_a_tag_that_is_not_carved,
        s4_a_tag_on_a_page_of_a_used_block,
        s4_a_tag_that_a_free_block_kept,
        a_slab_of_another_owner,
        a_later_page_of_another_owner,
        a_block_with_a_header_of_another_owner,
        s5_a_count_of_slabs_that_is_wrong,
        s5_a_slab_without_a_tag_is_none,
        s6_a_count_of_live_blocks_that_is_wrong,
        s6_a_block_that_the_heap_took_back_alone,
        NULL};
    return run_heap_tests("check-slab", tests);
}
