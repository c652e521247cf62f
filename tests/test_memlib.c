/* test_memlib.c - the memory system: the break, tags, records, reset.
 * Maps and limits: test_memlib_maps.c; threads: test_memlib_threads.c. */
#include "tests/memlib_test.h"

#include <stdio.h>

START_TEST(init_twice_keeps_the_range)
{
    char *p = mem_sbrk(64);
    struct mem_range range = mem_range;
    ck_assert_int_eq(mem_init(), 0);
    ck_assert_mem_eq(&range, &mem_range, sizeof range);
    ck_assert_ptr_eq(mem_brk(), p + 64);
}
END_TEST

START_TEST(sbrk_gives_zero_bytes_on_a_cache_line_behind_the_last)
{
    char *end = mem_range.base;
    for (size_t size = 16; size < 3 * MIB; size = size * 3 / 2 / 16 * 16 + 16) {
        char *p = mem_sbrk(size);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        ck_assert(p >= end && p < end + 64);
        ck_zero(p, size);
        memset(p, 0xff, size);
        end = p + size;
        ck_assert_ptr_eq(mem_brk(), end);
        ck_assert_uint_eq(mem_heapsize(), (size_t)(end - mem_range.base));
        ck_assert_uint_eq(mem_peak(), mem_heapsize());
    }
}
END_TEST

START_TEST(sbrk_of_more_than_there_is_fails_and_moves_nothing)
{
    static const size_t sizes[] = {MEM_ZONE, MEM_ZONE + 16, MEM_WINDOW,
                                   SIZE_MAX / 2 + 1, -(size_t)16};
    mem_sbrk(16);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        void *brk = mem_brk();
        errno = 0;
        ck_assert_ptr_null(mem_sbrk(sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
        errno = 0;
        ck_assert(!mem_extend(brk, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
        ck_assert_ptr_eq(mem_brk(), brk);
    }
}
END_TEST

/* Small address spaces have one zone, or less (memwindow.h). */
static bool has_second_zone(void)
{
    bool has = mem_range.size > MEM_ZONE;
    if (!has)
        printf("# there is no second zone here\n");
    return has;
}

/* Take all up to there, in pieces: at once it may be more than the system
 * thinks it could ever have. */
static void take_up_to(const char *end)
{
    for (size_t left; (left = (size_t)(end - (char *)mem_brk())) > 0;)
        ck_assert(mem_extend(mem_brk(), left < 1024 * MIB ? left : 1024 * MIB));
}

static void take_the_rest(void)
{
    take_up_to(mem_zone(mem_brk()) + MEM_ZONE - mem_pagesize());
}

START_TEST(a_zone_can_be_had_whole_but_for_its_last_page)
{
    size_t all = MEM_ZONE - mem_pagesize();
    if (!has_second_zone())
        return;
    take_the_rest();
    mem_range.base[all - 1] = 1;
    mem_range.pages[(all - 1) >> MEM_GRAIN_LOG2].tag = 1;
    errno = 0;
    ck_assert(!mem_extend(mem_brk(), 16));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert(mem_zone_grows(mem_range.base));
    ck_assert_ptr_null(mem_sbrk_in(mem_range.base, 16));
    ck_assert(!mem_zone_grows(mem_range.base));
}
END_TEST

/* Nor for what would not fit into half a zone. */
START_TEST(a_zone_is_not_left_while_it_has_much)
{
    char *middle = mem_range.base + MEM_ZONE / 2;
    take_up_to(middle);
    ck_assert_ptr_null(mem_sbrk(MEM_ZONE / 2));
    ck_assert_ptr_null(mem_sbrk_in(mem_range.base, MEM_ZONE / 2));
    ck_assert(mem_zone_grows(mem_range.base));
    ck_assert_ptr_eq(mem_sbrk(64), middle);
}
END_TEST

/* 65 GiB, of which two pages are touched. */
START_TEST(the_next_zone_follows)
{
    char *second = mem_range.base + MEM_ZONE;
    if (!has_second_zone())
        return;
    mem_sbrk(64);
    take_the_rest();
    size_t before = mem_heapsize();
    ck_assert_uint_eq(before, MEM_ZONE - mem_pagesize());
    char *p = mem_sbrk(MIB);
    ck_assert_ptr_eq(p, second);
    ck_assert_ptr_eq(mem_zone(p), second);
    ck_assert_ptr_eq(mem_zone(p - 1), mem_range.base);
    ck_assert_ptr_eq(mem_skip(p - mem_pagesize()), p);
    ck_assert_ptr_null(mem_sbrk_in(mem_range.base, 64));
    ck_assert_ptr_eq(mem_sbrk_in(second, 64), p + MIB);
    for (int i = 0; i < 1024; i++)
        ck_assert(mem_extend(mem_brk(), MIB));
    ck_assert_uint_eq(mem_heapsize(), before + 1025 * MIB + 64);
    ck_zero(p, MIB);
    ck_assert_int_eq(p[-1], 0); /* is mapped */
    ck_assert_int_eq(p[1024 * MIB], 0);
    ck_assert_uint_eq(mem_range.pages[(MEM_ZONE >> MEM_GRAIN_LOG2) + 1].tag, 0);
    errno = 0;
    ck_assert(!mem_release(p, MIB)); /* no holes there */
    ck_assert_int_eq(errno, 0);
    ck_assert(mem_release(second - 2 * MIB, MIB));
    size_t size = MIB;
    ck_assert_ptr_eq(mem_reuse(NULL, &size), second - 2 * MIB);
}
END_TEST

static void ask_for_nothing(void)
{
    void *brk = mem_brk();
    ck_assert_ptr_eq(mem_sbrk(0), brk);
    ck_assert(mem_extend(brk, 0));
    ck_assert_ptr_eq(mem_brk(), brk);
}

START_TEST(sbrk_of_nothing_says_where_the_break_is_and_maps_nothing)
{
    ask_for_nothing();
    ck_assert_ptr_eq(mem_record(64), mem_range.records);
    take_the_rest();
    ask_for_nothing();
}
END_TEST

START_TEST(extend_appends_at_the_break_only)
{
    char *p = sbrk_filled(160);
    ck_assert(mem_extend(p + 160, 32));
    ck_zero(p + 160, 32);
    ck_assert_ptr_eq(mem_brk(), p + 192);
    errno = 0;
    ck_assert(!mem_extend(p + 160, 32));
    ck_assert_int_eq(errno, 0);
    ck_assert_ptr_eq(mem_brk(), p + 192);
}
END_TEST

START_TEST(every_grain_of_the_heap_has_a_tag_that_is_zero)
{
    for (int i = 0; i < 200; i++)
        mem_sbrk(100016);
    size_t n = (mem_heapsize() - 1) / ((size_t)1 << MEM_GRAIN_LOG2) + 1;
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(mem_range.pages[i].tag, 0);
        mem_range.pages[i].tag = (uint32_t)i;
    }
}
END_TEST

START_TEST(records_are_zero_apart_from_the_heap_and_come_to_an_end)
{
    char *a = mem_record(128), *b = mem_record(64);
    ck_assert_ptr_eq(a + 128, b);
    ck_assert_uint_eq((uintptr_t)a % 64, 0);
    ck_zero(a, 192);
    ck_assert(!mem_contains(a, 1));
    ck_assert_uint_eq(mem_heapsize(), 0);
    ck_assert_uint_eq(mem_recordsize(), 192);
    errno = 0;
    ck_assert_ptr_null(mem_record(mem_range.size));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(mem_record(-(size_t)64));
    ck_assert_uint_eq(mem_recordsize(), 192);
}
END_TEST

START_TEST(contains_is_from_base_to_break)
{
    char *p = mem_sbrk(1600);
    ck_assert(mem_contains(p, 1600));
    ck_assert(mem_contains(p + 1600, 0));
    ck_assert(!mem_contains(p + 1, 1600));
    ck_assert(!mem_contains(p - 1, 1));
    ck_assert(!mem_contains(p, SIZE_MAX));
    ck_assert(!mem_contains(&p, 1));
    ck_assert(!mem_contains(NULL, 0));
}
END_TEST

static void ck_reset(void)
{
    sbrk_filled(5 * MIB);
    memset(mem_record(6400), 0xff, 6400);
    mem_range.pages[1000].tag = 5;
    mem_reset();
    ck_assert_uint_eq(mem_heapsize() + mem_peak() + mem_recordsize(), 0);
    ck_assert_ptr_eq(mem_sbrk(5 * MIB), mem_range.base);
    ck_zero(mem_range.base, 5 * MIB);
    ck_zero(mem_record(6400), 6400);
    ck_assert_uint_eq(mem_range.pages[1000].tag, 0);
}

START_TEST(after_reset_all_is_zero_again)
{
    ck_reset();
    ck_assert_uint_eq(mem_peak(), 5 * MIB);
}
END_TEST

START_TEST(after_reset_pages_locked_into_memory_are_zero_too)
{
    sbrk_filled(64);
    mem_range.pages[0].tag = 5;
    if (mlock(mem_range.base, 64) || mlock(mem_range.pages, 64))
        return; /* not allowed to lock anything */
    ck_reset();
    ck_assert_uint_eq(mem_range.pages[0].tag, 0);
}
END_TEST

START_TEST(after_fini_there_is_nothing_until_init)
{
    mem_sbrk(160);
    mem_record(640);
    mem_fini();
    ck_assert_uint_eq(mem_range.size, 0);
    ck_assert_uint_eq(mem_heapsize() + mem_recordsize(), 0);
    ck_assert_ptr_null(mem_sbrk(16));
    ck_assert_ptr_null(mem_record(64));
    ck_assert(!mem_extend(mem_brk(), 16));
    mem_reset();
    mem_fini();
    ck_assert_int_eq(mem_init(), 0);
    ck_zero(mem_sbrk(160), 160);
    ck_zero(mem_record(640), 640);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        init_twice_keeps_the_range,
        sbrk_gives_zero_bytes_on_a_cache_line_behind_the_last,
        sbrk_of_more_than_there_is_fails_and_moves_nothing,
        a_zone_can_be_had_whole_but_for_its_last_page,
        a_zone_is_not_left_while_it_has_much,
        the_next_zone_follows,
        sbrk_of_nothing_says_where_the_break_is_and_maps_nothing,
        extend_appends_at_the_break_only,
        every_grain_of_the_heap_has_a_tag_that_is_zero,
        records_are_zero_apart_from_the_heap_and_come_to_an_end,
        contains_is_from_base_to_break,
        after_reset_all_is_zero_again,
        after_reset_pages_locked_into_memory_are_zero_too,
        after_fini_there_is_nothing_until_init,
        NULL};
    return run_tests("memlib", mem_begin, tests);
}
