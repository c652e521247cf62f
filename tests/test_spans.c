/* test_spans.c - the set of mapped ranges. */
#include "driver/check/spans.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>

static struct spans *s;

static void set_up(void)
{
    s = spans_new();
}

static void tear_down(void)
{
    spans_free(s);
}

static void *at(uintptr_t where)
{
    return (void *)where;
}

START_TEST(what_was_added_is_held)
{
    ck_assert(spans_add(s, at(4096), 8192));
    ck_assert(spans_hold(s, at(4096), 8192));
    ck_assert(spans_hold(s, at(5000), 1));
    ck_assert(!spans_hold(s, at(4095), 2));
    ck_assert(!spans_hold(s, at(4096), 8193));
    ck_assert(!spans_hold(s, at(12288), 1));
    ck_assert_uint_eq(spans_bytes(s), 8192);
}
END_TEST

START_TEST(no_two_overlap)
{
    ck_assert(spans_add(s, at(4096), 4096));
    ck_assert(!spans_add(s, at(4096), 4096));
    ck_assert(!spans_add(s, at(0), 4097));
    ck_assert(!spans_add(s, at(8191), 1));
    ck_assert(spans_add(s, at(8192), 4096));
    ck_assert(!spans_hold(s, at(4096), 8192)); /* two mappings, no block */
    ck_assert_uint_eq(spans_bytes(s), 8192);
}
END_TEST

START_TEST(a_part_can_be_taken_out_anywhere)
{
    ck_assert(spans_add(s, at(10000), 1000));
    ck_assert(spans_remove(s, at(10400), 200));
    ck_assert(spans_hold(s, at(10000), 400) && spans_hold(s, at(10600), 400));
    ck_assert(!spans_hold(s, at(10400), 1) && !spans_hold(s, at(10599), 1));
    ck_assert(spans_remove(s, at(10000), 100));
    ck_assert(spans_remove(s, at(10900), 100));
    ck_assert(spans_remove(s, at(10100), 300));
    ck_assert(spans_remove(s, at(10600), 300));
    ck_assert_uint_eq(spans_bytes(s), 0);
}
END_TEST

START_TEST(what_is_not_in_cannot_be_taken_out)
{
    ck_assert(!spans_remove(s, at(4096), 1));
    ck_assert(spans_add(s, at(4096), 4096));
    ck_assert(!spans_remove(s, at(4096), 4097));
    ck_assert(!spans_remove(s, at(4000), 200));
    ck_assert_uint_eq(spans_bytes(s), 4096);
}
END_TEST

START_TEST(many_are_found_whatever_their_order)
{
    for (uintptr_t i = 0; i < 1000; i++)
        ck_assert(spans_add(s, at((i * 379 % 1000 + 1) * 4096), 2048));
    for (uintptr_t i = 1; i <= 1000; i++)
        ck_assert(spans_hold(s, at(i * 4096), 2048) &&
                  !spans_hold(s, at(i * 4096 + 2048), 1));
    for (uintptr_t i = 0; i < 1000; i++)
        ck_assert(spans_remove(s, at((i * 617 % 1000 + 1) * 4096), 2048));
    ck_assert_uint_eq(spans_bytes(s), 0);
}
END_TEST

START_TEST(what_is_appended_is_one_with_what_ends_there)
{
    const char *p = (const char *)0x10000;
    ck_assert(spans_add(s, p, 0x1000) && spans_add(s, p + 0x3000, 0x1000));
    ck_assert(spans_append(s, p + 0x1000, 0x1000));
    ck_assert(spans_hold(s, p + 0x800, 0x1800));
    ck_assert(!spans_append(s, p + 0x2000, 0x1001));
    ck_assert(spans_append(s, p + 0x8000, 0x1000)); /* nothing ends there */
    ck_assert_uint_eq(spans_bytes(s), 0x4000);
    ck_assert(spans_remove(s, p + 0x1000, 0x1000));
    ck_assert_uint_eq(spans_bytes(s), 0x3000);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("spans");
    TCase *t = tcase_create("ranges");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, what_was_added_is_held);
    tcase_add_test(t, no_two_overlap);
    tcase_add_test(t, a_part_can_be_taken_out_anywhere);
    tcase_add_test(t, what_is_not_in_cannot_be_taken_out);
    tcase_add_test(t, many_are_found_whatever_their_order);
    tcase_add_test(t, what_is_appended_is_one_with_what_ends_there);
    suite_add_tcase(suite, t);
    return run_suite(suite);
}
