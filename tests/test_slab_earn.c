/* test_slab_earn.c - which classes get slabs, from when on, and until when. */
#include "tests/limits.h"
#include "tests/slab_test.h"

START_TEST(tight_sizes_are_those_that_a_header_would_cost_16_bytes)
{
    for (size_t size = 0; size < 300; size++) {
        bool costs = size && size <= TIGHT_MAX &&
                     request_to_block(size) - round_up(size, ALIGN) == ALIGN;
        ck_assert_msg(is_tight(size) == costs, "size %zu", size);
    }
    ck_assert(!is_tight(SIZE_MAX) && !is_tight(PTRDIFF_MAX));
}
END_TEST

/* Bytes that are live when class c gets its first slab. */
static size_t live_when_earned(unsigned c)
{
    size_t n = earn(c);
    ck_assert_uint_gt(n, 0);
    ck_assert_uint_eq(arena.live[c + 1], n);
    char *p = take(c * ALIGN, 'x');
    ck_assert_uint_eq(tag_class(page_tag(p)), c);
    ck_assert_uint_eq(arena.live[c + 1], n);
    ck_healthy();
    return n * (c * ALIGN);
}

START_TEST(a_class_earns_its_first_slab_by_what_is_live_of_it)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        arena_begin();
        arena.all_earn = true;
        size_t bytes = live_when_earned(c);
        size_t worth = slab_classes[c].pages * PAGE;
        ck_assert(bytes >= worth && bytes - c * ALIGN < worth);
        void *large = take(2 * LARGE_HEAP, 'x');
        unsigned d = c % SLAB_CLASSES + 2;
        if (d > SLAB_CLASSES)
            continue;
        give_back(large);
        earn(d); /* blocks of c's count for d's neighbour only */
        ck_assert_uint_ge((arena.live[d] + arena.live[d + 1]) * (d * ALIGN),
                          slab_classes[d].pages * PAGE);
        ck_healthy();
    }
}
END_TEST

/* Blocks with headers of 16 c bytes and of 16 more both speak for class c. */
START_TEST(sizes_that_need_no_larger_block_speak_for_the_class_too)
{
    unsigned c = 30;
    size_t n = 0;
    for (; !arena_earns(&arena, c * ALIGN, c); n++)
        take(c * ALIGN - HEADER_SIZE, 'x');
    ck_assert_uint_eq(arena.live[c], n);
    ck_assert_uint_eq(tag_class(page_tag(take(c * ALIGN - 8, 'x'))), c);
    ck_healthy();
}
END_TEST

START_TEST(where_not_all_may_earn_tight_sizes_do)
{
    arena.all_earn = false;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        size_t size = c * ALIGN;
        for (int i = 0; i < TIGHT_BUSY; i++)
            ck_assert_uint_eq(page_tag(take(size, 'x')), 0);
        bool has = page_tag(take(size, 'x')) != 0;
        ck_assert_msg(has == (size <= TIGHT_MAX), "class %u", c);
        if (has) /* not tight: a header costs nothing */
            ck_assert_uint_eq(page_tag(take(size - HEADER_SIZE, 'x')), 0);
    }
    ck_healthy();
}
END_TEST

START_TEST(a_class_that_has_a_slab_goes_on_until_that_is_given_back)
{
    static void *blocks[8192];
    unsigned c = 24;
    size_t n = 0;
    for (; !arena_earns(&arena, c * ALIGN, c); n++)
        blocks[n] = take(c * ALIGN, 'x');
    char *p = take(c * ALIGN, 'x');
    while (n > 0)
        give_back(blocks[--n]);
    ck_assert_uint_eq(arena.live[c + 1], 0);
    ck_assert(arena_earns(&arena, c * ALIGN, c));
    give_back(p); /* the slab is empty, and stays */
    ck_assert_uint_eq(arena.slabs.nslabs[c], 1);
    ck_assert_ptr_eq(take(c * ALIGN, 'x'), p);
    slabs_trim(heap, &arena.slabs); /* it is not empty */
    ck_assert_uint_eq(arena.slabs.nslabs[c], 1);
    give_back(p);
    slabs_trim(heap, &arena.slabs);
    ck_assert_uint_eq(arena.slabs.nslabs[c], 0);
    ck_assert(!arena_earns(&arena, c * ALIGN, c));
    ck_assert_uint_eq(page_tag(take(c * ALIGN, 'x')), 0);
    ck_healthy();
}
END_TEST

START_TEST(requests_for_no_byte_or_too_many_get_a_header)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        earn(c), take(c * ALIGN, 'x');
    ck_assert_uint_eq(page_tag(take(0, 'x')), 0);
    ck_assert_uint_eq(page_tag(take(SLAB_MAX + 1, 'x')), 0);
    ck_healthy();
}
END_TEST

/* Blocks of a slab are as aligned as their bytes are. */
START_TEST(aligned_requests_are_served_from_slabs_of_a_multiple)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        earn(c), take(c * ALIGN, 'x');
    for (size_t align = 2 * ALIGN; align <= 2 * SLAB_MAX; align *= 2)
        for (size_t size = 1; size <= SLAB_MAX + 1; size += 41) {
            char *p = arena_memalign(&arena, align, size);
            size_t bytes = round_up(size, align);
            ck_assert_uint_eq((uintptr_t)p % align, 0);
            ck_assert_uint_ge(arena_usable(p), size);
            ck_assert_uint_eq(tag_bytes(page_tag(p)),
                              bytes <= SLAB_MAX ? bytes : 0);
        }
    ck_healthy();
}
END_TEST

START_TEST(small_aligned_blocks_with_headers_tile_and_earn_a_slab)
{
    char *before = arena_memalign(&arena, 64, 24);
    size_t n = 1;
    for (char *p; !page_tag(p = arena_memalign(&arena, 64, 24));
         before = p, n++)
        ck_assert_ptr_eq(p, before + 64);
    ck_assert_uint_ge(n, PAGE / 64);
    ck_assert_uint_eq(arena_usable(before), 64 - HEADER_SIZE);
    ck_healthy();
}
END_TEST

/* Whose blocks with headers are of a size of which no others are. */
START_TEST(a_size_that_is_its_alignment_earns_a_slab)
{
    size_t n = 0;
    while (!page_tag(arena_memalign(&arena, 64, 64)))
        ck_assert_uint_lt(n++, PAGE / 64);
    ck_assert_uint_ge(n, PAGE / 64);
    ck_healthy();
}
END_TEST

START_TEST(large_blocks_earn_nothing)
{
    for (int i = 0; i < 100; i++)
        take(5000, 'x');
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        ck_assert(!arena_earns(&arena, c * ALIGN, c));
    ck_healthy();
}
END_TEST

START_TEST(without_a_page_for_a_slab_a_header_does)
{
    if (SANITIZED || !limits_hold()) /* needs memory of its own */
        return;
    void *spare = take(2000, 'x');
    earn(6);
    limit_data(0);
    for (size_t size = (size_t)1 << 30; size > SLAB_MAX; size /= 2)
        while (arena_malloc(&arena, size))
            ;
    give_back(spare);
    void *p = take(96, 'x');
    ck_assert_uint_eq(page_tag(p), 0);
    ck_assert_uint_eq(arena.slabs.nslabs[6], 0);
    ck_healthy();
}
END_TEST

START_TEST(a_fixed_heap_without_a_page_leaves_it_to_growth)
{
    void *spare = take(2000, 'x');
    earn(6);
    give_back(spare);
    heap->may_grow = false;
    ck_assert_ptr_null(arena_malloc(&arena, 96));
    ck_assert_ptr_nonnull(arena_malloc(&arena, SLAB_MAX + 1));
    heap->may_grow = true;
    ck_assert_uint_eq(tag_class(page_tag(take(96, 'x'))), 6);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tight_sizes_are_those_that_a_header_would_cost_16_bytes,
        a_class_earns_its_first_slab_by_what_is_live_of_it,
        sizes_that_need_no_larger_block_speak_for_the_class_too,
        where_not_all_may_earn_tight_sizes_do,
        a_class_that_has_a_slab_goes_on_until_that_is_given_back,
        requests_for_no_byte_or_too_many_get_a_header,
        aligned_requests_are_served_from_slabs_of_a_multiple,
        small_aligned_blocks_with_headers_tile_and_earn_a_slab,
        a_size_that_is_its_alignment_earns_a_slab,
        large_blocks_earn_nothing,
        without_a_page_for_a_slab_a_header_does,
        a_fixed_heap_without_a_page_leaves_it_to_growth,
        NULL};
    return run_tests("slab-earn", slab_begin, tests);
}
