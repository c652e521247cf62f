/* test_slab.c - slabs: which sizes they serve and when, every block of every
 * class, what happens when one fills or empties. */
#include "tests/heap_test.h"
#include "tests/limits.h"

#define TIGHT(class) ((size_t)(class) * ALIGN)
#define MOST 400 /* blocks in a test: more than a slab of any class holds */

/* A first block, so that the next ones begin within a page. */
static void begin(void)
{
    arena_begin();
    take(100, 'x');
}

/* Take tight blocks with headers until the class is busy. */
static void make_busy(unsigned class)
{
    for (int i = 0; i < SLAB_BUSY; i++)
        ck_assert_uint_eq(page_tag(take(TIGHT(class), 'x')), 0);
}

/* @return a block of the first slab of the class */
static char *first_in_slab(unsigned class)
{
    make_busy(class);
    char *p = take(TIGHT(class), 'x');
    ck_assert_uint_eq(page_tag(p), class);
    return p;
}

static size_t slabs_of(unsigned class)
{
    size_t n = 0, pages = mem_heapsize() / PAGE;
    for (size_t i = 0; i < pages; i++)
        n += mem_range.tags[i] == class;
    return n;
}

START_TEST(tight_sizes_are_those_that_a_header_would_cost_16_bytes)
{
    for (size_t size = 0; size < 300; size++) {
        bool costs = size && size <= SLAB_MAX &&
                     request_to_block(size) - round_up(size, ALIGN) == ALIGN;
        ck_assert_msg(is_tight(size) == costs, "size %zu", size);
        if (costs)
            ck_assert_uint_eq(slab_class(size), (size + 15) / 16);
    }
    ck_assert(!is_tight(SIZE_MAX) && !is_tight(PTRDIFF_MAX));
}
END_TEST

START_TEST(slots_are_offsets_divided_by_the_block_size)
{
    for (unsigned class = 1; class <= SLAB_CLASSES; class ++)
        for (size_t off = 0; off < PAGE; off++)
            if (slab_slot(off, class) != off / TIGHT(class))
                ck_abort_msg("class %u, offset %zu", class, off);
}
END_TEST

START_TEST(a_class_gets_runs_when_it_is_busy)
{
    for (unsigned class = 1; class <= SLAB_CLASSES; class ++) {
        char *p = first_in_slab(class);
        ck_assert_ptr_eq(p, (char *)payload_slab(p) + SLAB_START);
        ck_assert_uint_eq(arena_usable(p), TIGHT(class));
        take(TIGHT(class) - 8, 'x'); /* not tight: has a header */
        ck_assert_uint_eq(payload_slab(p)->used, 1);
        ck_healthy();
    }
}
END_TEST

/* Fill a slab and the next ones; no block may touch another. */
static void ck_fill(unsigned class)
{
    char *blocks[MOST];
    make_busy(class);
    for (int i = 0; i < MOST; i++)
        blocks[i] = take(TIGHT(class), (char)i);
    ck_healthy();
    for (int i = 0; i < MOST; i++)
        ck_filled(blocks[i], TIGHT(class), (char)i);
    struct slab *r = payload_slab(blocks[0]);
    ck_assert_uint_eq(r->used, r->capacity);
    ck_assert_uint_gt(SLAB_START + (r->capacity + 1u) * TIGHT(class),
                      SLAB_BYTES);
    for (int i = 0; i < MOST; i++) {
        give_back(blocks[(i * 7 + 3) % MOST]);
        if (i % 16 == 0)
            ck_healthy();
    }
    ck_healthy();
}

START_TEST(blocks_of_full_runs_do_not_overlap)
{
    for (unsigned class = 1; class <= SLAB_CLASSES; class ++)
        ck_fill(class);
}
END_TEST

START_TEST(the_lowest_free_block_is_given_out_first)
{
    char *blocks[20];
    blocks[0] = first_in_slab(3);
    for (int i = 1; i < 20; i++) {
        blocks[i] = take(TIGHT(3), 'x');
        ck_assert_ptr_eq(blocks[i], blocks[0] + i * TIGHT(3));
    }
    give_back(blocks[15]);
    give_back(blocks[4]);
    give_back(blocks[9]);
    ck_assert_ptr_eq(take(TIGHT(3), 'x'), blocks[4]);
    ck_assert_ptr_eq(take(TIGHT(3), 'x'), blocks[9]);
    ck_assert_ptr_eq(take(TIGHT(3), 'x'), blocks[15]);
    ck_healthy();
}
END_TEST

START_TEST(a_full_slab_that_gets_a_block_back_is_used_again)
{
    char *p = first_in_slab(2), *last = p;
    struct slab *r = payload_slab(p);
    while (r->used < r->capacity)
        last = take(TIGHT(2), 'x');
    ck_assert_uint_eq(arena.slabs.partial[2], 0);
    give_back(last);
    ck_assert_uint_eq(arena.slabs.partial[2], slab_link(heap, r));
    ck_healthy();
    ck_assert_ptr_eq(take(TIGHT(2), 'x'), last);
    ck_healthy();
}
END_TEST

START_TEST(all_but_one_empty_slab_of_a_class_go_back)
{
    char *blocks[MOST * 2];
    make_busy(8);
    for (int i = 0; i < MOST * 2; i++)
        blocks[i] = take(TIGHT(8), 'x');
    ck_assert_uint_gt(slabs_of(8), 20);
    for (int i = 0; i < MOST * 2; i++)
        give_back(blocks[i]);
    ck_assert_uint_eq(slabs_of(8), 1);
    ck_assert_uint_eq(arena.slabs.live[8], SLAB_BUSY);
    ck_healthy();
}
END_TEST

START_TEST(a_page_that_went_back_serves_other_blocks)
{
    char *blocks[MOST];
    make_busy(5);
    for (int i = 0; i < MOST; i++)
        blocks[i] = take(TIGHT(5), 'x');
    for (int i = 0; i < MOST; i++)
        give_back(blocks[i]);
    size_t size = heap->size;
    char *p = take(8000, 'x');
    ck_assert_uint_eq(heap->size, size);
    ck_assert_uint_eq(page_tag((char *)round_up((uintptr_t)p, PAGE)), 0);
    ck_healthy();
    give_back(p);
    ck_healthy();
}
END_TEST

START_TEST(slabs_tile_without_a_gap)
{
    make_busy(8);
    for (int i = 0; i < MOST; i++)
        take(TIGHT(8), 'x');
    struct slab *r = payload_slab(take(TIGHT(8), 'x'));
    ck_assert_uint_eq(page_tag((char *)r - PAGE), 8);
    ck_assert_uint_eq(page_tag((char *)r - 2 * PAGE), 8);
    ck_assert_ptr_eq(block_next(payload_block((char *)r - PAGE)),
                     payload_block(r));
}
END_TEST

START_TEST(tags_and_headers_name_the_owner)
{
    heap->owner = 77;
    make_busy(1);
    char *p = take(TIGHT(1), 'x');
    ck_assert_uint_eq(page_tag(p), 1 | 77 << TAG_OWNER_SHIFT);
    struct block *b = payload_block(take(5000, 'x'));
    ck_assert_uint_eq(b->header >> BLOCK_OWNER_SHIFT, 77);
}
END_TEST

START_TEST(a_small_block_is_resized_within_its_size_only)
{
    char *p = memset(first_in_slab(4), 'k', TIGHT(4));
    ck_assert_ptr_eq(arena_resize(&arena, p, TIGHT(4)), p);
    ck_assert_ptr_eq(arena_resize(&arena, p, 1), p);
    ck_assert_ptr_null(arena_resize(&arena, p, TIGHT(4) + 1));
    ck_filled(p, TIGHT(4), 'k');
    ck_healthy();
}
END_TEST

START_TEST(without_a_page_for_a_slab_a_header_does)
{
    if (SANITIZED) /* needs memory of its own */
        return;
    void *spare = take(2000, 'x');
    make_busy(6);
    limit_data(0);
    for (size_t size = (size_t)1 << 30; size >= PAGE / 4; size /= 2)
        while (arena_malloc(&arena, size))
            ;
    give_back(spare);
    void *p = take(TIGHT(6), 'x');
    ck_assert_uint_eq(page_tag(p), 0);
    ck_assert(!(payload_block(p)->header & BLOCK_ROOMY));
    ck_healthy();
}
END_TEST

START_TEST(a_fixed_heap_without_a_page_leaves_it_to_growth)
{
    void *spare = take(2000, 'x');
    make_busy(6);
    give_back(spare);
    heap->may_grow = false;
    ck_assert_ptr_null(arena_malloc(&arena, TIGHT(6)));
    ck_assert_ptr_nonnull(arena_malloc(&arena, TIGHT(6) + 1));
    heap->may_grow = true;
    ck_assert_uint_eq(page_tag(take(TIGHT(6), 'x')), 6);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        tight_sizes_are_those_that_a_header_would_cost_16_bytes,
        slots_are_offsets_divided_by_the_block_size,
        a_class_gets_runs_when_it_is_busy,
        blocks_of_full_runs_do_not_overlap,
        the_lowest_free_block_is_given_out_first,
        a_full_slab_that_gets_a_block_back_is_used_again,
        all_but_one_empty_slab_of_a_class_go_back,
        a_page_that_went_back_serves_other_blocks,
        slabs_tile_without_a_gap,
        tags_and_headers_name_the_owner,
        a_small_block_is_resized_within_its_size_only,
        without_a_page_for_a_slab_a_header_does,
        a_fixed_heap_without_a_page_leaves_it_to_growth,
        NULL};
    return run_tests("slab", begin, tests);
}
