/* test_heap_resize.c - the engine: resizing in place, whatever is around the
 * block, keeps every byte or changes nothing. */
#include "tests/heap_test.h"
#include "tests/limits.h"

#define KEPT ((size_t)3000) /* bytes of the block that is resized */

/* What lies before and after it. */
static const struct around {
    size_t before; /* payload bytes of the block before; free iff is_free */
    size_t after;
    bool before_free, after_free;
    bool last; /* after is the heap's last block; 0: there is none */
} arounds[] = {
    {100, 100, false, false, false},   {100, 100, false, true, false},
    {100, 5000, false, true, false},   {0, 100, true, false, false},
    {100, 0, true, false, false},      {5000, 100, true, false, false},
    {5000, 5000, true, true, false},   {1000, 0, true, true, false},
    {500, 5000, false, true, true},    {500, 0, false, false, true},
    {5000, 0, true, false, true},      {5000, 5000, true, true, true},
    {2000, 500, true, true, true},     {20000, 100, true, false, false},
    {100, 200000, false, true, false}, {200000, 100, true, false, false},
};

static const size_t sizes[] = {1,    8,     9,     24,     1000,  2990,
                               3000, 3016,  3100,  4000,   7900,  8000,
                               8100, 13000, 40000, 150000, 300000};

static unsigned char byte_of(size_t i)
{
    return (unsigned char)(i * 7 + i / 256);
}

static char *take_pattern(size_t size)
{
    char *p = take(size, 0);
    for (size_t i = 0; i < size; i++)
        p[i] = (char)byte_of(i);
    return p;
}

static void ck_pattern(const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)p[i] != byte_of(i))
            ck_abort_msg("byte %zu of %zu is wrong", i, size);
}

/* With a first block, which takes what a new heap puts aside for small ones. */
static void begin(void)
{
    arena_begin();
    take(100, 'a');
}

/* Lay the blocks out. @return the payload of the middle one */
static char *lay_out(const struct around *a)
{
    begin();
    char *before = take(a->before, 'b');
    char *p = take_pattern(KEPT);
    char *after = a->last && !a->after ? NULL : take(a->after, 'c');
    if (!a->last)
        take(100, 'd');
    if (a->before_free)
        give_back(before);
    if (after && a->after_free)
        give_back(after);
    ck_healthy();
    return p;
}

/* Resize the middle block, with or without another's memory behind the heap. */
static void ck_resize(const struct around *a, size_t size, bool walled)
{
    char *p = lay_out(a);
    size_t usable = arena_usable(p);
    if (walled)
        mem_sbrk(64);
    char *q = arena_resize(&arena, p, size);
    ck_healthy();
    if (!q) {
        ck_assert_uint_gt(size, usable);
        ck_assert_uint_eq(arena_usable(p), usable);
        ck_pattern(p, KEPT);
        q = p;
    } else {
        ck_assert(q <= p && (q == p || size > usable));
        ck_assert_uint_ge(arena_usable(q), size);
        ck_assert_uint_lt(arena_usable(q), size + ALIGN);
        ck_pattern(q, min_size(size, KEPT));
        memset(q, 'e', size);
        ck_healthy();
    }
    give_back(q);
    ck_healthy();
}

START_TEST(resize_keeps_the_bytes_whatever_is_around_the_block)
{
    for (size_t a = 0; a < sizeof arounds / sizeof *arounds; a++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            ck_resize(&arounds[a], sizes[s], false);
            ck_resize(&arounds[a], sizes[s], true);
        }
}
END_TEST

START_TEST(shrinking_frees_the_tail_which_merges)
{
    char *p = take_pattern(KEPT), *next = take(2000, 'x');
    take(100, 'x');
    give_back(next);
    size_t all = payload_size(p) + payload_size(next);
    ck_assert_ptr_eq(arena_resize(&arena, p, 1000), p);
    struct block *rest = block_next(payload_block(p));
    ck_assert(!block_used(rest));
    ck_assert_uint_eq(payload_size(p) + block_size(rest), all);
    ck_pattern(p, 1000);
    ck_healthy();
}
END_TEST

START_TEST(a_block_grows_into_the_next_and_leaves_the_rest_free)
{
    char *p = take_pattern(KEPT), *next = take(2000, 'x');
    take(100, 'x');
    give_back(next);
    ck_assert_ptr_eq(arena_resize(&arena, p, 4000), p);
    ck_assert(!block_used(block_next(payload_block(p))));
    ck_pattern(p, KEPT);
    ck_healthy();
}
END_TEST

START_TEST(the_last_block_grows_with_the_heap_by_the_shortfall)
{
    char *p = take_pattern(KEPT), *next = take(500, 'x');
    give_back(next);
    size_t size = heap->size, room = block_room(payload_block(p));
    ck_assert_ptr_eq(arena_resize(&arena, p, 8000), p);
    ck_assert_uint_eq(heap->size - size, request_to_block(8000) - room);
    ck_pattern(p, KEPT);
    ck_healthy();
}
END_TEST

START_TEST(a_block_slides_into_the_one_before_though_they_overlap)
{
    char *prev = take(160, 'x'), *p = take_pattern(KEPT);
    take(100, 'x');
    give_back(prev);
    ck_assert_ptr_eq(arena_resize(&arena, p, KEPT + 150), prev);
    ck_pattern(prev, KEPT);
    ck_healthy();
}
END_TEST

START_TEST(a_block_slides_into_a_free_mini)
{
    char *prev = take(0, 'x'), *p = take_pattern(KEPT);
    take(100, 'x');
    give_back(prev);
    ck_assert_ptr_eq(arena_resize(&arena, p, KEPT + 16), prev);
    ck_pattern(prev, KEPT);
    ck_healthy();
}
END_TEST

START_TEST(a_block_takes_the_one_before_and_the_one_behind)
{
    char *prev = take(2000, 'x'), *p = take_pattern(KEPT);
    char *next = take(2000, 'x');
    take(100, 'x');
    give_back(prev);
    give_back(next);
    ck_assert_ptr_eq(arena_resize(&arena, p, 7000), prev);
    ck_pattern(prev, KEPT);
    ck_assert_uint_eq(free_blocks(), 1);
    ck_healthy();
}
END_TEST

/* After each step another's memory lies behind the heap. */
START_TEST(a_block_that_grows_among_others_moves_but_a_few_times)
{
    enum { STEP = 1000, LAST = 1000000 };
    char *p = take(STEP, 'x');
    int moves = 0;
    for (size_t size = 2 * STEP; size <= LAST; size += STEP) {
        ck_assert_ptr_nonnull(mem_sbrk(16));
        char *q = arena_resize(&arena, p, size);
        if (!q) {
            q = take(size, 'x');
            give_back(p);
            moves++;
        }
        p = q;
    }
    ck_assert_int_le(moves, 20);
    ck_assert_uint_le(heap->size, 5 * (size_t)LAST);
    ck_healthy();
}
END_TEST

START_TEST(where_a_heap_grows_in_steps_so_does_a_block)
{
    char *p = take_pattern(KEPT), *next = take(2000, 'x');
    take(100, 'x');
    give_back(next);
    heap->grows_in_steps = true;
    ck_assert_ptr_eq(arena_resize(&arena, p, KEPT + 100), p);
    size_t least = request_to_block(KEPT + 100), slack = least / 32;
    struct block *b = payload_block(p);
    ck_assert_uint_eq(block_size(b), least + round_up(slack, ALIGN));
    ck_assert(!block_used(block_next(b)));
    ck_assert_ptr_eq(arena_resize(&arena, p, 5000), p); /* a large step: none */
    ck_assert_uint_eq(block_size(b), request_to_block(5000));
    ck_assert_ptr_eq(arena_resize(&arena, p, 5008), p); /* there is no */
    ck_assert_uint_eq(block_size(b), block_room(b));    /* more */
    ck_pattern(p, KEPT);
    ck_healthy();
}
END_TEST

/* Up to the last byte that can be had. */
START_TEST(the_last_block_grows_by_a_step_or_else_by_what_it_lacks)
{
    if (SANITIZED || !limits_hold())
        return;
    char *p = take_pattern(KEPT);
    ck_assert_ptr_eq(arena_resize(&arena, p, 1 << 20), p);
    heap->grows_in_steps = true;
    size_t size = heap->size, to = (1 << 20) + 100;
    ck_assert_ptr_eq(arena_resize(&arena, p, to), p);
    ck_assert_uint_ge(heap->size - size, (1 << 20) / 32);
    set_limit(RLIMIT_DATA, process_bytes("VmData") + (1 << 18));
    while (arena_resize(&arena, p, to + 100))
        to += 100;
    ck_assert_ptr_null(region_extend(heap, 128));
    ck_assert_uint_gt(to, 1 << 20);
    ck_pattern(p, KEPT);
    ck_healthy();
}
END_TEST

START_TEST(a_size_that_cannot_be_leaves_the_block_as_it_was)
{
    static const size_t too_large[] = {MEM_ZONE, MAX_BLOCK - 2 * ALIGN,
                                       MAX_BLOCK, (size_t)1 << 60, PTRDIFF_MAX};
    char *p = take_pattern(KEPT);
    size_t size = heap->size;
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        ck_assert_ptr_null(arena_resize(&arena, p, too_large[i]));
        ck_pattern(p, KEPT);
        ck_assert_uint_eq(arena_usable(p), KEPT);
        ck_healthy();
    }
    ck_assert_uint_eq(heap->size, size);
}
END_TEST

START_TEST(a_fixed_heap_resizes_within_what_it_has)
{
    char *p = take_pattern(KEPT);
    heap->may_grow = false;
    ck_assert_ptr_null(arena_resize(&arena, p, 2 * KEPT));
    ck_assert_ptr_eq(arena_resize(&arena, p, KEPT / 2), p);
    ck_assert_ptr_eq(arena_resize(&arena, p, KEPT), p);
    ck_pattern(p, KEPT / 2);
    ck_healthy();
}
END_TEST

START_TEST(a_block_that_is_resized_counts_as_what_it_is_now)
{
    uint32_t of_7 = arena.live[7];
    char *p = take(32, 'x');
    ck_assert_uint_eq(arena.live[3], 1);
    ck_assert_ptr_eq(arena_resize(&arena, p, 30), p); /* the same block */
    ck_assert_uint_eq(arena.live[3], 1);
    p = arena_resize(&arena, p, 100);
    ck_assert_uint_eq(arena.live[3], 0);
    ck_assert_uint_eq(arena.live[7], of_7 + 1);
    ck_filled(p, 30, 'x');
    ck_healthy();
    p = arena_resize(&arena, p, 5000); /* of a size that is not counted */
    ck_assert_uint_eq(arena.live[7], of_7);
    p = arena_resize(&arena, p, 20);
    ck_assert_uint_eq(arena.live[2], 1);
    ck_healthy();
    give_back(p);
    ck_assert_uint_eq(arena.live[2], 0);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        resize_keeps_the_bytes_whatever_is_around_the_block,
        shrinking_frees_the_tail_which_merges,
        a_block_grows_into_the_next_and_leaves_the_rest_free,
        the_last_block_grows_with_the_heap_by_the_shortfall,
        a_block_slides_into_the_one_before_though_they_overlap,
        a_block_slides_into_a_free_mini,
        a_block_takes_the_one_before_and_the_one_behind,
        a_block_that_grows_among_others_moves_but_a_few_times,
        where_a_heap_grows_in_steps_so_does_a_block,
        the_last_block_grows_by_a_step_or_else_by_what_it_lacks,
        a_size_that_cannot_be_leaves_the_block_as_it_was,
        a_fixed_heap_resizes_within_what_it_has,
        a_block_that_is_resized_counts_as_what_it_is_now,
        NULL};
    return run_tests("heap-resize", begin, tests);
}
