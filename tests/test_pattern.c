/* test_pattern.c - what is written into blocks, and what a check sees. */
#include "driver/check/pattern.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define SEED UINT64_C(0x0123456789abcdef)

static unsigned char *block;

static void set_up(void)
{
    block = calloc(1, 80 << 20);
    ck_assert_ptr_nonnull(block);
}

static void tear_down(void)
{
    free(block);
}

/* What the check finds when one byte of a filled block is changed. */
static size_t found_after_change(size_t size, size_t at)
{
    pattern_fill(block, size, SEED);
    ck_assert(pattern_check(block, size, SEED, size) == PATTERN_OK);
    block[at] ^= 1;
    size_t found = pattern_check(block, size, SEED, size);
    block[at] ^= 1;
    return found;
}

START_TEST(every_changed_byte_of_a_small_block_is_found)
{
    for (size_t size = 1; size <= 70; size++)
        for (size_t at = 0; at < size; at++)
            ck_assert_uint_eq(found_after_change(size, at), at);
}
END_TEST

START_TEST(nothing_past_the_end_is_written)
{
    for (size_t size = 0; size <= 70; size++) {
        memset(block, 0xee, 80);
        pattern_fill(block, size, SEED);
        for (size_t at = size; at < 80; at++)
            ck_assert_uint_eq(block[at], 0xee);
    }
}
END_TEST

START_TEST(pattern_byte_is_what_fill_writes)
{
    pattern_fill(block, 100, SEED);
    for (size_t at = 0; at < 96; at++)
        ck_assert_uint_eq(block[at], pattern_byte(SEED, at));
}
END_TEST

START_TEST(another_seed_is_another_pattern)
{
    pattern_fill(block, 64, SEED);
    ck_assert(pattern_check(block, 64, SEED + 1, 64) != PATTERN_OK);
}
END_TEST

START_TEST(a_block_of_1_mib_is_checked_whole)
{
    size_t size = PATTERN_DENSE;
    for (size_t at = 0; at < size; at += 100003)
        ck_assert_uint_eq(found_after_change(size, at), at);
}
END_TEST

START_TEST(of_a_larger_block_each_line_and_both_ends_are_checked)
{
    size_t size = PATTERN_DENSE + 1001;
    ck_assert_uint_eq(found_after_change(size, 4001), 4001);
    ck_assert_uint_eq(found_after_change(size, size - 1), size - 1);
    ck_assert_uint_eq(found_after_change(size, size - 4000), size - 4000);
    for (size_t at = 4096; at < size - 4200; at += 64 * 101)
        ck_assert_uint_eq(found_after_change(size, at), at);
    ck_assert_uint_eq(found_after_change(size, 8192 + 9), PATTERN_OK);
}
END_TEST

START_TEST(of_a_huge_block_few_pages_are_touched)
{
    size_t size = PATTERN_LINES + (8 << 20), touched = 0;
    pattern_fill(block, size, SEED);
    for (size_t page = 0; page < size; page += 4096) {
        bool any = false;
        for (size_t at = page; at < page + 4096; at += 8)
            any |= *(uint64_t *)(block + at) != 0;
        touched += any;
    }
    ck_assert_uint_ge(touched, 10000);
    ck_assert_uint_le(touched, (16 << 10) + 4);
    ck_assert_uint_eq(found_after_change(size, size - 1), size - 1);
}
END_TEST

START_TEST(a_check_stops_at_its_limit)
{
    pattern_fill(block, 1000, SEED);
    block[500] ^= 1;
    ck_assert(pattern_check(block, 1000, SEED, 500) == PATTERN_OK);
    ck_assert_uint_eq(pattern_check(block, 1000, SEED, 501), 500);
}
END_TEST

START_TEST(a_large_pattern_can_be_checked_in_a_part_of_the_block)
{
    size_t size = 3 * PATTERN_DENSE, kept = PATTERN_DENSE / 2;
    pattern_fill(block, size, SEED);
    memset(block + kept, 0, size - kept);
    ck_assert(pattern_check(block, size, SEED, kept) == PATTERN_OK);
    ck_assert(pattern_check(block, size, SEED, kept + 64) != PATTERN_OK);
}
END_TEST

START_TEST(a_byte_that_is_not_zero_is_found)
{
    ck_assert(pattern_check_zero(block, 1003) == PATTERN_OK);
    for (size_t at = 0; at < 1003; at++) {
        block[at] = 1;
        ck_assert_uint_eq(pattern_check_zero(block, 1003), at);
        block[at] = 0;
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("pattern");
    TCase *t = tcase_create("bytes");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, every_changed_byte_of_a_small_block_is_found);
    tcase_add_test(t, nothing_past_the_end_is_written);
    tcase_add_test(t, pattern_byte_is_what_fill_writes);
    tcase_add_test(t, another_seed_is_another_pattern);
    tcase_add_test(t, a_block_of_1_mib_is_checked_whole);
    tcase_add_test(t, of_a_larger_block_each_line_and_both_ends_are_checked);
    tcase_add_test(t, of_a_huge_block_few_pages_are_touched);
    tcase_add_test(t, a_check_stops_at_its_limit);
    tcase_add_test(t, a_large_pattern_can_be_checked_in_a_part_of_the_block);
    tcase_add_test(t, a_byte_that_is_not_zero_is_found);
    suite_add_tcase(s, t);
    return run_suite(s);
}
