/* test_summary.c - means and ratios of results written by hand
 * (driver/report/summary.h). */
#include "driver/report/summary.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define TRACES 2
#define MINE 0
#define LIBC 1

static struct trace trace[TRACES];
static struct trace *traces[TRACES] = {&trace[0], &trace[1]};
static const struct mm_allocator mine = {.name = "mine"};
static const struct mm_allocator libc = {.name = "libc"};
static const struct mm_allocator *allocators[] = {&mine, &libc};

/* Section 0: one thread, a round for each trace. Section 1: two threads, one
 * round with both traces. */
static struct part parts[] = {{.trace = 0, .lanes = 1},
                              {.trace = 1, .lanes = 1},
                              {.trace = 0, .lanes = 1},
                              {.trace = 1, .first = 1, .lanes = 1}};
static struct round rounds[] = {
    {&parts[0], 1, 1}, {&parts[1], 1, 1}, {&parts[2], 2, 2}};
static struct plan plans[] = {{1, false, 2, rounds}, {2, false, 1, rounds + 2}};
static struct round_result cells[6];
static struct part_result part_cells[6][2];
static struct section sections[2];
static struct results results;

static struct round_result *cell(unsigned s, unsigned a, unsigned r)
{
    return result_round(&sections[s], a, r);
}

static void set_up(void)
{
    for (int t = 0; t < TRACES; t++)
        trace[t] = (struct trace){.name = "some", .weight = 1};
    for (int i = 0; i < 6; i++)
        cells[i] = (struct round_result){.ran = true,
                                         .checked = true,
                                         .fault_part = -1,
                                         .ops = 1000,
                                         .peak_payload = 600,
                                         .peak_heap = 1000,
                                         .touched_payload = 100,
                                         .peak_resident = 150,
                                         .time.median = 0.001,
                                         .parts = part_cells[i]};
    memset(part_cells, 0, sizeof part_cells);
    sections[0] = (struct section){1, &plans[0], cells};
    sections[1] = (struct section){2, &plans[1], cells + 4};
    results = (struct results){.traces = traces,
                               .ntraces = TRACES,
                               .allocators = allocators,
                               .nallocators = 2,
                               .libc = LIBC,
                               .sections = sections,
                               .nsections = 2};
}

static struct summary sum(unsigned section)
{
    return summarize_section(&results, &sections[section], MINE);
}

START_TEST(the_means_are_what_they_are_called)
{
    cell(0, MINE, 0)->time.median = 0.001; /* 1 Mops/s */
    cell(0, MINE, 1)->time.median = 0.004; /* 0.25 Mops/s */
    ck_assert_double_eq_tol(sum(0).arithmetic, 625000, 1e-3);
    ck_assert_double_eq_tol(sum(0).harmonic, 400000, 1e-3);
}
END_TEST

START_TEST(the_ratio_to_libc_is_a_geometric_mean)
{
    cell(0, MINE, 0)->time.median = 0.0005; /* 2x */
    cell(0, MINE, 1)->time.median = 0.002;  /* 0.5x */
    ck_assert_double_eq_tol(sum(0).vs_libc, 1, 1e-9);
    ck_assert_double_eq_tol(ratio_to_libc(&results, sections, MINE, 0), 2,
                            1e-9);
}
END_TEST

START_TEST(the_speedup_is_one_threads_time_over_this_time)
{
    cell(0, MINE, 0)->time.median = 0.003;
    cell(0, MINE, 1)->time.median = 0.005;
    cell(1, MINE, 0)->time.median = 0.004;
    ck_assert_double_eq_tol(round_speedup(&results, &sections[1], MINE, 0), 2,
                            1e-9);
    ck_assert_double_eq_tol(sum(1).speedup, 2, 1e-9);
    part_cells[4][1].time.median = 0.010; /* trace 1: 5 ms alone */
    ck_assert_double_eq_tol(part_speedup(&results, &sections[1], MINE, 0, 1),
                            0.5, 1e-9);
}
END_TEST

START_TEST(without_one_thread_there_is_no_speedup)
{
    results.sections = &sections[1];
    results.nsections = 1;
    struct summary s = summarize_section(&results, &sections[1], MINE);
    ck_assert_double_eq(s.speedup, 0);
}
END_TEST

START_TEST(memory_is_a_mean_over_the_rounds)
{
    cell(0, MINE, 1)->peak_heap = 750; /* 80 % after 60 % */
    for (unsigned i = 0; i < 2; i++) {
        cell(0, MINE, i)->touched_payload *= 100; /* more than a page */
        cell(0, MINE, i)->peak_resident *= 100;
    }
    cell(0, MINE, 1)->peak_resident = 25000;
    ck_assert_double_eq_tol(sum(0).util, 0.7, 1e-9);
    ck_assert_double_eq_tol(sum(0).resident, 2, 1e-9);
}
END_TEST

START_TEST(a_faulty_round_counts_for_no_mean)
{
    cell(0, MINE, 0)->fault = FAULT_OVERLAP;
    cell(0, MINE, 0)->peak_heap = 100000;
    struct summary s = sum(0);
    ck_assert_uint_eq(s.replays, 2);
    ck_assert_uint_eq(s.valid, 1);
    ck_assert_double_eq_tol(s.util, 0.6, 1e-9);
    ck_assert(any_fault(&results));
}
END_TEST

START_TEST(a_weight_keeps_a_trace_out)
{
    cell(0, MINE, 1)->peak_heap = 6000;
    cell(0, MINE, 1)->time.median = 1;
    trace[1].weight = 0;
    ck_assert_double_eq_tol(sum(0).util, 0.6, 1e-9);
    ck_assert_double_eq_tol(sum(0).vs_libc, 1, 1e-9);
    trace[1].weight = 2; /* utilization only */
    ck_assert_double_eq_tol(sum(0).util, 0.35, 1e-9);
    ck_assert_double_eq_tol(sum(0).vs_libc, 1, 1e-9);
    trace[1].weight = 3; /* throughput only */
    ck_assert_double_eq_tol(sum(0).util, 0.6, 1e-9);
    ck_assert_double_lt(sum(0).vs_libc, 0.5);
}
END_TEST

START_TEST(a_fault_in_one_part_leaves_the_others_unknown)
{
    struct round_result *x = cell(1, MINE, 0);
    x->fault = FAULT_CRASH;
    x->fault_part = 1;
    ck_assert_str_eq(part_status(x, 1), "crash");
    ck_assert_str_eq(part_status(x, 0), "unknown");
    x->fault_part = -1;
    ck_assert_str_eq(part_status(x, 0), "crash");
}
END_TEST

START_TEST(what_did_not_run_or_was_not_checked_is_not_valid)
{
    struct round_result *x = cell(0, MINE, 0);
    x->checked = false;
    ck_assert_str_eq(round_status(x), "unchecked");
    ck_assert(!result_valid(x));
    x->ran = false;
    ck_assert_str_eq(round_status(x), "skipped");
    ck_assert(!result_valid(x));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("summary");
    TCase *c = tcase_create("summary");
    suite_add_tcase(s, c);
    tcase_add_checked_fixture(c, set_up, NULL);
    tcase_add_test(c, the_means_are_what_they_are_called);
    tcase_add_test(c, the_ratio_to_libc_is_a_geometric_mean);
    tcase_add_test(c, the_speedup_is_one_threads_time_over_this_time);
    tcase_add_test(c, without_one_thread_there_is_no_speedup);
    tcase_add_test(c, memory_is_a_mean_over_the_rounds);
    tcase_add_test(c, a_faulty_round_counts_for_no_mean);
    tcase_add_test(c, a_weight_keeps_a_trace_out);
    tcase_add_test(c, a_fault_in_one_part_leaves_the_others_unknown);
    tcase_add_test(c, what_did_not_run_or_was_not_checked_is_not_valid);
    return run_suite(s);
}
