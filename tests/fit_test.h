/* fit_test.h - for the tests of one policy (mm/engine/fit.h): a heap of
 * many free blocks, what the policy should find in it, and damage.
 *
 * Who includes this defines MM_FIT before, and after it
 *   expected(asize)   what fit_find should find, by looking at all blocks */
#ifndef TESTS_FIT_TEST_H
#define TESTS_FIT_TEST_H

#include "mm/engine/merge.h"
#include "tests/damage.h"
#include "tests/model.h"

static struct block *expected(size_t asize);

/* The waiting block after b in memory, or the first; NULL: no more. */
static inline struct block *next_waiting(struct block *b)
{
    b = b ? block_next(b) : (struct block *)region_first();
    while (!block_is_end(b) && (block_used(b) || b == heap->fit.victim))
        b = block_next(b);
    return block_is_end(b) ? NULL : b;
}

static inline size_t some_size(void)
{
    return model_random(4) ? model_random(1500) : model_random(60000);
}

/* n blocks of all sizes, of which many are freed in no order. */
static inline void many_free_blocks(size_t n)
{
    static void *blocks[20000];
    model.state = 88172645463325252u;
    for (size_t i = 0; i < n; i++)
        blocks[i] = take(some_size(), 'x');
    for (size_t i = 0; i < 2 * n; i++) {
        void **p = &blocks[model_random(n)];
        if (*p)
            give_back(*p);
        *p = *p || model_random(2) ? NULL : take(some_size(), 'y');
    }
    retire_victim(heap);
    ck_healthy();
    ck_assert_uint_gt(free_blocks(), n / 8);
}

START_TEST(fit_finds_what_the_policy_says)
{
    many_free_blocks(2000);
    for (size_t asize = MIN_BLOCK; asize < 100000;
         asize += asize / 64 * 16 + 16)
        ck_assert_ptr_eq(fit_find(&heap->fit, asize), expected(asize));
    ck_assert_ptr_null(fit_find(&heap->fit, heap->size));
    ck_assert_ptr_null(fit_find(&heap->fit, MAX_BLOCK));
}
END_TEST

START_TEST(an_aligned_fit_holds_the_block)
{
    many_free_blocks(2000);
    for (size_t align = ALIGN; align <= 16384; align *= 2)
        for (size_t asize = MIN_BLOCK; asize < 40000; asize += 2000) {
            struct block *b = fit_find_aligned(&heap->fit, asize, align);
            if (b)
                ck_assert_uint_le(align_lead(b, align) + asize, block_size(b));
            else
                ck_assert_ptr_null(expected(asize + align - ALIGN));
        }
}
END_TEST

static size_t visits;

static inline void count_visit(struct block *b, void *least)
{
    visits += block_size(b) >= *(size_t *)least && !block_used(b) &&
              heap_holds(heap, b);
}

START_TEST(each_block_is_visited_once)
{
    many_free_blocks(2000);
    for (size_t least = MIN_BLOCK; least < 100000; least *= 3) {
        size_t n = 0;
        for (struct block *b = next_waiting(NULL); b; b = next_waiting(b))
            n += block_size(b) >= least;
        visits = 0;
        fit_each(&heap->fit, least, count_visit, &least);
        ck_assert_uint_eq(visits, n);
    }
}
END_TEST

START_TEST(an_arena_takes_in_another)
{
    static struct arena other;
    many_free_blocks(300);
    other = arena;
    arena_init(&arena, 0);
    many_free_blocks(300);
    arena_merge(&arena, &other);
    ck_healthy();
    arena_merge(&arena, &other); /* an empty one */
    ck_healthy();
}
END_TEST

START_TEST(h5_a_free_block_that_does_not_wait)
{
    fill_heap();
    list_remove(heap, live.listed, block_size(live.listed));
    ck_names("H5", heap);
}
END_TEST

START_TEST(h5_a_used_block_that_waits)
{
    fill_heap();
    list_insert(heap, live.used, block_size(live.used));
    ck_names("H5", live.used);
}
END_TEST

START_TEST(h6_a_link_out_of_the_heap)
{
    fill_heap();
    live.listed->next = UINT32_MAX;
    size_t bad = arena_check();
    ck_assert_uint_ge(bad, 1);
    ck_assert_ptr_nonnull(strstr(said, "mm_check: H6 "));
}
END_TEST

START_TEST(h6_a_ring)
{
    fill_heap();
    live.listed->next = live.listed->prev =
        block_link(heap->fit.base, live.listed);
    ck_names("H6", live.listed);
}
END_TEST

#define FIT_TESTS                                                              \
    fit_finds_what_the_policy_says, an_aligned_fit_holds_the_block,            \
        each_block_is_visited_once, an_arena_takes_in_another,                 \
        h5_a_free_block_that_does_not_wait, h5_a_used_block_that_waits,        \
        h6_a_link_out_of_the_heap, h6_a_ring

#endif
