/* test_clock.c - what is made of repeated times, and of single ones
 * (driver/base/clock.h, driver/base/latency.h). */
#include "driver/base/clock.h"
#include "driver/base/latency.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* ---- repeated runs ------------------------------------------------------- */

START_TEST(the_best_agree_although_others_do_not)
{
    const double v[] = {9.0, 1.005, 3.0, 1.0, 1.009};
    ck_assert(clock_agree(v, 5, 3, 0.01));
    ck_assert(!clock_agree(v, 5, 4, 0.01));
}
END_TEST

START_TEST(too_few_samples_do_not_agree)
{
    const double v[] = {1.0, 1.0};
    ck_assert(!clock_agree(v, 2, 3, 0.01));
    ck_assert(!clock_agree(v, 0, 3, 0.01));
}
END_TEST

START_TEST(a_difference_above_the_limit_is_no_agreement)
{
    const double v[] = {1.0, 1.0, 1.011};
    ck_assert(!clock_agree(v, 3, 3, 0.01));
    ck_assert(clock_agree(v, 3, 3, 0.0111));
}
END_TEST

START_TEST(median_best_and_quartiles_of_an_odd_number)
{
    const double v[] = {50, 10, 40, 20, 30};
    struct timing t = clock_summarize(v, 5);
    ck_assert_double_eq(t.median, 30);
    ck_assert_double_eq(t.best, 10);
    ck_assert_double_eq_tol(t.spread, (40.0 - 20.0) / 30.0, 1e-12);
    ck_assert_uint_eq(t.runs, 5);
}
END_TEST

START_TEST(the_median_of_an_even_number_lies_between_two)
{
    const double v[] = {4, 1, 3, 2};
    ck_assert_double_eq(clock_summarize(v, 4).median, 2.5);
}
END_TEST

START_TEST(one_sample_has_no_spread)
{
    const double v[] = {7};
    struct timing t = clock_summarize(v, 1);
    ck_assert_double_eq(t.median, 7);
    ck_assert_double_eq(t.spread, 0);
}
END_TEST

START_TEST(no_sample_gives_zeros)
{
    struct timing t = clock_summarize(NULL, 0);
    ck_assert_uint_eq(t.runs, 0);
    ck_assert_double_eq(t.median, 0);
}
END_TEST

START_TEST(samples_stay_as_they_were)
{
    double v[] = {3, 1, 2};
    clock_summarize(v, 3);
    ck_assert(v[0] == 3 && v[1] == 1 && v[2] == 2);
}
END_TEST

/* ---- the counter --------------------------------------------------------- */

START_TEST(ticks_are_as_long_as_the_calibration_says)
{
    struct ticker t = ticker_calibrate();
    uint64_t ns = clock_ns(), ticks = ticker_read(&t);
    while (clock_ns() - ns < 50000000)
        ;
    double by_ticks = (double)(ticker_read(&t) - ticks) * t.ns;
    double by_clock = (double)(clock_ns() - ns);
    /* Something may come between the two readings, but rarely for long. */
    ck_assert_double_eq_tol(by_ticks / by_clock, 1, 0.1);
    ck_assert_double_gt(t.overhead, 0);
    ck_assert_double_lt(t.overhead, 2000);
}
END_TEST

/* ---- histograms ---------------------------------------------------------- */

START_TEST(a_bucket_holds_what_lies_between_its_neighbours)
{
    for (unsigned b = 1; b < LATENCY_BUCKETS; b++) {
        uint64_t top = latency_bucket_top(b);
        ck_assert_uint_eq(latency_bucket(top), b);
        ck_assert_uint_eq(latency_bucket(latency_bucket_top(b - 1) + 1), b);
    }
}
END_TEST

START_TEST(a_bucket_is_no_wider_than_its_share_of_the_value)
{
    for (unsigned b = 2 * LATENCY_SUB; b < LATENCY_BUCKETS; b++) {
        uint64_t top = latency_bucket_top(b);
        uint64_t width = top - latency_bucket_top(b - 1);
        ck_assert_uint_le(width * LATENCY_SUB, top + 1);
    }
}
END_TEST

START_TEST(a_value_beyond_all_buckets_falls_into_the_last)
{
    ck_assert_uint_eq(latency_bucket(UINT64_MAX), LATENCY_BUCKETS - 1);
}
END_TEST

static struct latency one, two;

START_TEST(percentiles_are_the_values_at_their_ranks)
{
    memset(&one, 0, sizeof one);
    struct histogram *h = &one.kind[LATENCY_FREE];
    for (uint64_t i = 1; i <= 100; i++) /* exact below 2 * LATENCY_SUB */
        latency_add(h, i);
    struct percentiles p = latency_percentiles(h, 2);
    ck_assert_double_eq(p.p50, 2 * 50);
    ck_assert_double_eq(p.p99, 2 * 99);
    ck_assert_double_eq(p.p999, 2 * 100);
    ck_assert_double_eq(p.max, 2 * 100);
    ck_assert_uint_eq(p.count, 100);
}
END_TEST

START_TEST(one_slow_operation_of_ten_thousand_shows_only_at_the_end)
{
    memset(&one, 0, sizeof one);
    struct histogram *h = &one.kind[LATENCY_MALLOC];
    for (int i = 0; i < 9999; i++)
        latency_add(h, 20);
    latency_add(h, 1000000);
    struct percentiles p = latency_percentiles(h, 1);
    ck_assert_double_eq(p.p9999, 20);
    ck_assert_double_eq(p.max, 1000000);
}
END_TEST

START_TEST(merged_histograms_count_for_both)
{
    memset(&one, 0, sizeof one);
    memset(&two, 0, sizeof two);
    latency_add(&one.kind[LATENCY_REALLOC], 5);
    latency_add(&two.kind[LATENCY_REALLOC], 7);
    latency_add(&two.kind[LATENCY_FREE], 9);
    latency_merge(&one, &two);
    ck_assert_uint_eq(one.kind[LATENCY_REALLOC].count, 2);
    ck_assert_uint_eq(one.kind[LATENCY_REALLOC].max, 7);
    ck_assert_uint_eq(one.kind[LATENCY_FREE].count, 1);
    ck_assert_uint_eq(one.kind[LATENCY_MALLOC].count, 0);
}
END_TEST

START_TEST(an_empty_histogram_is_all_zeros)
{
    memset(&one, 0, sizeof one);
    struct percentiles p = latency_percentiles(&one.kind[0], 1);
    ck_assert_double_eq(p.p50, 0);
    ck_assert_double_eq(p.max, 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("clock");
    TCase *c = tcase_create("clock");
    suite_add_tcase(s, c);
    tcase_add_test(c, the_best_agree_although_others_do_not);
    tcase_add_test(c, too_few_samples_do_not_agree);
    tcase_add_test(c, a_difference_above_the_limit_is_no_agreement);
    tcase_add_test(c, median_best_and_quartiles_of_an_odd_number);
    tcase_add_test(c, the_median_of_an_even_number_lies_between_two);
    tcase_add_test(c, one_sample_has_no_spread);
    tcase_add_test(c, no_sample_gives_zeros);
    tcase_add_test(c, samples_stay_as_they_were);
    tcase_add_test(c, ticks_are_as_long_as_the_calibration_says);
    tcase_add_test(c, a_bucket_holds_what_lies_between_its_neighbours);
    tcase_add_test(c, a_bucket_is_no_wider_than_its_share_of_the_value);
    tcase_add_test(c, a_value_beyond_all_buckets_falls_into_the_last);
    tcase_add_test(c, percentiles_are_the_values_at_their_ranks);
    tcase_add_test(c, one_slow_operation_of_ten_thousand_shows_only_at_the_end);
    tcase_add_test(c, merged_histograms_count_for_both);
    tcase_add_test(c, an_empty_histogram_is_all_zeros);
    return run_suite(s);
}
