/* test_merge.c - merge.h: what two arenas had, one has: blocks, lists, slabs,
 * counts; and where they touch, what neither could have given. */
#include "mm/engine/check.h"
#include "mm/engine/merge.h"

#include "tests/run_tests.h"

static struct arena one, two;

static void begin(void)
{
    ck_assert_int_eq(mem_init(), 0);
    mem_reset();
    arena_init(&one, 1);
    arena_init(&two, 2);
}

static void ck_sound(const struct arena *a)
{
    ck_assert_uint_eq(heap_check(&a->heap), 0);
    ck_assert_uint_eq(slabs_check(a), 0);
}

static size_t regions_of(const struct arena *a)
{
    size_t n = 0;
    for (uint32_t link = a->heap.regions; link; n++)
        link = heap_region(&a->heap, link)->next;
    return n;
}

static bool regions_fall(const struct heap *h)
{
    for (uint32_t link = h->regions; link;) {
        uint32_t next = heap_region(h, link)->next;
        if (next >= link)
            return false;
        link = next;
    }
    return true;
}

/* What the heap gives without growing. */
static void *take_fixed(struct arena *a, size_t size)
{
    a->heap.may_grow = false;
    void *p = arena_malloc(a, size);
    a->heap.may_grow = true;
    return p;
}

/* ---- borders --------------------------------------------------------- */

/* The first arena's end is at 0, 16, 32, 48 bytes in its cache line: where the
 * other begins, at the next line, they touch. */
START_TEST(a_block_lies_across_the_former_border)
{
    size_t size = 40000;
    void *low = arena_malloc(&one, size + (size_t)_i * 16);
    void *high = arena_malloc(&two, size);
    ck_assert(low < high);
    arena_free(&one, low);
    arena_free(&two, high);
    ck_assert_ptr_null(take_fixed(&one, size * 3 / 2));
    ck_assert_ptr_null(take_fixed(&two, size * 3 / 2));

    arena_merge(&one, &two);
    ck_sound(&one);
    ck_assert_uint_eq(regions_of(&one), 1);
    char *across = take_fixed(&one, size * 3 / 2);
    ck_assert_ptr_nonnull(across);
    ck_assert(across < (char *)high && across + size * 3 / 2 > (char *)high);
    memset(across, 'x', size * 3 / 2);
    ck_sound(&one);
}
END_TEST

START_TEST(a_border_vanishes_whichever_arena_takes_the_other_in)
{
    void *low = arena_malloc(&one, 5000), *high = arena_malloc(&two, 5000);
    arena_free(&one, low);
    arena_free(&two, high);
    arena_merge(&two, &one);
    ck_sound(&two);
    ck_assert_ptr_nonnull(take_fixed(&two, 8000));
}
END_TEST

START_TEST(blocks_in_use_at_the_border_stay_what_they_are)
{
    char *low = arena_malloc(&one, 1000), *high = arena_malloc(&two, 1000);
    size_t usable = arena_usable(low);
    memset(low, 'l', usable);
    memset(high, 'h', arena_usable(high));
    arena_merge(&one, &two);
    ck_sound(&one);
    ck_assert_uint_eq(arena_usable(low), usable);
    for (size_t i = 0; i < 1000; i++)
        ck_assert(low[i] == 'l' && high[i] == 'h');
    arena_free(&one, low);
    arena_free(&one, high);
    ck_sound(&one);
    ck_assert_ptr_nonnull(take_fixed(&one, 2000));
}
END_TEST

START_TEST(many_regions_in_turn_become_one)
{
    void *p[32];
    for (int i = 0; i < 32; i++)
        p[i] = arena_malloc(i % 2 ? &one : &two, 20000 + (size_t)i * 16);
    for (int i = 0; i < 32; i++)
        arena_free(i % 2 ? &one : &two, p[i]);
    ck_assert_uint_ge(regions_of(&one), 10);
    arena_merge(&one, &two);
    ck_sound(&one);
    ck_assert_uint_eq(regions_of(&one), 1);
    ck_assert_ptr_nonnull(take_fixed(&one, 32 * 20000));
}
END_TEST

START_TEST(regions_stay_in_order_around_a_third_heap)
{
    static struct arena third;
    arena_init(&third, 3);
    struct arena *const turn[] = {&one, &third, &two, &third, &two, &one};
    for (size_t i = 0; i < 24; i++)
        ck_assert_ptr_nonnull(arena_malloc(turn[i % 6], 20000));
    size_t size = one.heap.size + two.heap.size;
    arena_merge(&one, &two);
    ck_sound(&one);
    ck_sound(&third);
    ck_assert(regions_fall(&one.heap));
    ck_assert_uint_ge(one.heap.size, size);
    ck_assert_uint_lt(one.heap.size, size + regions_of(&one) * 64);
}
END_TEST

START_TEST(the_merged_heap_grows_at_its_highest_end)
{
    ck_assert_ptr_nonnull(arena_malloc(&one, 5000));
    ck_assert_ptr_nonnull(arena_malloc(&two, 5000));
    arena_merge(&one, &two);
    size_t before = mem_heapsize();
    ck_assert_ptr_nonnull(arena_malloc(&one, 100000));
    ck_assert_uint_eq(regions_of(&one), 1);
    ck_assert_uint_lt(mem_heapsize() - before, 100100);
    ck_sound(&one);
}
END_TEST

/* ---- lists, slabs, counts --------------------------------------------- */

#define NBLOCKS 2000

static void *blocks[2][NBLOCKS];

/* Both heaps in disorder: lists, victims, slabs, dirty and purged blocks. */
static void disorder(unsigned seed)
{
    srandom(seed);
    one.all_earn = two.all_earn = seed % 4 < 2; /* slabs of all classes */
    struct arena *const a[2] = {&one, &two};
    for (int i = 0; i < NBLOCKS; i++)
        for (int k = 0; k < 2; k++) {
            size_t size = random() % 20 ? (size_t)random() % 300
                                        : (size_t)random() % 300000;
            blocks[k][i] = arena_malloc(a[k], size);
            ck_assert_ptr_nonnull(blocks[k][i]);
        }
    for (int i = 0; i < NBLOCKS; i++)
        for (int k = 0; k < 2; k++)
            if (random() % 2) {
                arena_free(a[k], blocks[k][i]);
                blocks[k][i] = NULL;
            }
    if (seed % 2)
        ck_assert_uint_gt(heap_purge(&two.heap), 0);
    ck_assert_ptr_nonnull(arena_malloc(&one, 1)); /* makes victims */
    ck_assert_ptr_nonnull(arena_malloc(&two, 1));
}

START_TEST(lists_slabs_and_counts_are_sound_after_a_merge)
{
    disorder((unsigned)_i);
    arena_merge(&one, &two);
    ck_sound(&one);
    ck_assert(regions_fall(&one.heap));
    for (int i = 0; i < NBLOCKS; i++)
        for (int k = 0; k < 2; k++)
            if (blocks[k][i])
                arena_free(&one, blocks[k][i]);
    ck_sound(&one);
}
END_TEST

START_TEST(counts_and_what_slabs_can_give_add_up)
{
    unsigned c = slab_class(32);
    void *p = NULL, *q = NULL;
    for (int i = 0; i < 200; i++) {
        p = arena_malloc(&one, 32);
        q = arena_malloc(&two, 32);
    }
    ck_assert(page_tag(p) && page_tag(q));
    uint32_t live = one.live[c + 1] + two.live[c + 1];
    uint32_t nslabs = one.slabs.nslabs[c] + two.slabs.nslabs[c];
    uint32_t of_one = one.slabs.last[c], of_two = two.slabs.first[c];
    ck_assert(of_one && of_two);
    arena_merge(&one, &two);
    ck_assert_uint_eq(one.live[c + 1], live);
    ck_assert_uint_eq(one.slabs.nslabs[c], nslabs);
    ck_assert_uint_eq(one.slabs.last[c], of_one);
    ck_assert_uint_eq(one.slabs.first[c], of_two);
    ck_assert_uint_eq(two.slabs.nslabs[c] + two.slabs.first[c] + two.live[c],
                      0);
    size_t held = one.heap.size;
    while (one.slabs.first[c]) /* what both arenas' slabs still have */
        ck_assert_ptr_nonnull(arena_malloc(&one, 32));
    ck_assert_uint_eq(one.heap.size, held);
    ck_assert_uint_eq(one.live[c + 1], live);
    ck_assert_uint_eq(one.slabs.nslabs[c], nslabs);
    ck_assert_uint_eq(slab_at(of_one)->room + slab_at(of_two)->room, 2);
    ck_sound(&one);
}
END_TEST

START_TEST(waste_of_both_is_given_back_by_one_purge)
{
    size_t size = 4 * PURGE_MIN;
    void *p = arena_malloc(&one, size), *q = arena_malloc(&two, size);
    void *wall = arena_malloc(&two, 5000), *r = arena_malloc(&two, size);
    ck_assert_ptr_nonnull(wall);
    arena_free(&one, p);
    arena_free(&two, q);
    arena_free(&two, r);
    size_t dirty = one.heap.dirty + two.heap.dirty;
    arena_merge(&one, &two);
    ck_assert_uint_ge(one.heap.dirty, dirty);
    ck_assert_uint_ge(heap_purge(&one.heap), dirty - 6 * mem_pagesize());
    ck_assert_uint_eq(one.heap.dirty, 0);
    ck_sound(&one);
}
END_TEST

START_TEST(the_arena_taken_in_is_empty_and_serves_again)
{
    disorder(7);
    arena_merge(&one, &two);
    ck_assert_uint_eq(two.heap.size, 0);
    ck_assert_uint_eq(two.heap.owner, 2);
    ck_sound(&two);
    ck_assert_ptr_null(take_fixed(&two, 1));
    ck_assert_ptr_nonnull(arena_malloc(&two, 100));
    ck_sound(&one);
    ck_sound(&two);
}
END_TEST

START_TEST(an_empty_arena_adds_nothing_and_takes_all)
{
    disorder(3);
    size_t size = one.heap.size;
    static struct arena empty;
    arena_init(&empty, 3);
    arena_merge(&one, &empty);
    ck_assert_uint_eq(one.heap.size, size);
    ck_sound(&one);
    arena_merge(&empty, &one);
    ck_assert_uint_eq(empty.heap.size, size);
    ck_sound(&empty);
    ck_sound(&one);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("merge");
    TCase *tc = tcase_create("merge");
    tcase_add_checked_fixture(tc, begin, NULL);
    tcase_add_loop_test(tc, a_block_lies_across_the_former_border, 0, 4);
    tcase_add_test(tc, a_border_vanishes_whichever_arena_takes_the_other_in);
    tcase_add_test(tc, blocks_in_use_at_the_border_stay_what_they_are);
    tcase_add_test(tc, many_regions_in_turn_become_one);
    tcase_add_test(tc, regions_stay_in_order_around_a_third_heap);
    tcase_add_test(tc, the_merged_heap_grows_at_its_highest_end);
    tcase_add_loop_test(tc, lists_slabs_and_counts_are_sound_after_a_merge, 0,
                        8);
    tcase_add_test(tc, counts_and_what_slabs_can_give_add_up);
    tcase_add_test(tc, waste_of_both_is_given_back_by_one_purge);
    tcase_add_test(tc, the_arena_taken_in_is_empty_and_serves_again);
    tcase_add_test(tc, an_empty_arena_adds_nothing_and_takes_all);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
