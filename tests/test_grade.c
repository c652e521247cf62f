/* test_grade.c - points from results that are written by hand. */
#include "config.h"
#include "driver/report/grade.h"
#include "tests/run_tests.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TRACES 4
#define ALLOCATORS 2 /* 0: the one that is graded; 1: libc */

static struct trace trace[TRACES];
static struct trace *traces[TRACES];
static struct part parts[2][TRACES];
static struct round rounds[2][TRACES];
static struct plan plans[2];
static struct round_result cells[2][ALLOCATORS * TRACES];
static struct section sections[2];
static struct mm_allocator mine = {.name = "mine"}, libc = {.name = "libc"};
static const struct mm_allocator *allocators[ALLOCATORS] = {&mine, &libc};
static bool shown[ALLOCATORS];
static const char *open_ways[ALLOCATORS]; /* both were isolated */
static struct results results;

/* Section 0: one thread, a round for each trace. Section 1: four threads, one
 * round of four parts. All valid, half the heap used, as fast as libc. */
static void set_up(void)
{
    memset(rounds, 0, sizeof rounds);
    memset(cells, 0, sizeof cells);
    for (unsigned t = 0; t < TRACES; t++) {
        trace[t] = (struct trace){.name = "some", .weight = 1, .nthreads = 1};
        traces[t] = &trace[t];
        parts[0][t] = parts[1][t] = (struct part){.trace = t, .lanes = 1};
        parts[1][t].first = t;
        rounds[0][t] = (struct round){&parts[0][t], 1, 1};
    }
    rounds[1][0] = (struct round){parts[1], TRACES, TRACES};
    plans[0] = (struct plan){1, false, TRACES, rounds[0]};
    plans[1] = (struct plan){4, false, 1, rounds[1]};
    for (int s = 0; s < 2; s++) {
        sections[s] = (struct section){s ? 4 : 1, &plans[s], cells[s]};
        for (int i = 0; i < ALLOCATORS * TRACES; i++)
            cells[s][i] = (struct round_result){.ran = true,
                                                .checked = true,
                                                .ops = 1000,
                                                .peak_payload = 500,
                                                .peak_heap = 1000,
                                                .time.median = 0.001};
    }
    shown[0] = true;
    shown[1] = false;
    results = (struct results){.traces = traces,
                               .ntraces = TRACES,
                               .allocators = allocators,
                               .shown = shown,
                               .open = open_ways,
                               .nallocators = ALLOCATORS,
                               .libc = 1,
                               .sections = sections,
                               .nsections = 1};
}

static struct round_result *cell(unsigned section, unsigned round)
{
    return &cells[section][round];
}

static void near(double is, double want)
{
    ck_assert_double_eq_tol(is, want, 1e-9);
}

/* What grade_print prints. */
static char *printed(void)
{
    static char text[8192];
    memset(text, 0, sizeof text);
    FILE *f = fmemopen(text, sizeof text - 1, "w");
    grade_print(&results, f);
    fclose(f);
    return text;
}

START_TEST(utilization_is_linear_between_its_bounds)
{
    near(grade_util_points(0), 0);
    near(grade_util_points(GRADE_UTIL_NONE), 0);
    near(grade_util_points((GRADE_UTIL_NONE + GRADE_UTIL_FULL) / 2),
         GRADE_UTIL_POINTS / 2.0);
    near(grade_util_points(GRADE_UTIL_FULL), GRADE_UTIL_POINTS);
    near(grade_util_points(1), GRADE_UTIL_POINTS);
}
END_TEST

START_TEST(throughput_is_linear_up_to_libcs)
{
    near(grade_perf_points(0), 0);
    near(grade_perf_points(GRADE_PERF_FULL / 4), GRADE_PERF_POINTS / 4.0);
    near(grade_perf_points(GRADE_PERF_FULL), GRADE_PERF_POINTS);
    near(grade_perf_points(7), GRADE_PERF_POINTS);
}
END_TEST

START_TEST(a_valid_allocator_gets_all_three)
{
    struct grade g = grade_allocator(&results, 0);
    ck_assert(g.graded);
    ck_assert_uint_eq(g.valid, TRACES);
    near(g.correctness, GRADE_CORRECT_POINTS);
    near(g.utilization, grade_util_points(0.5));
    near(g.throughput, GRADE_PERF_POINTS);
}
END_TEST

START_TEST(a_slow_allocator_loses_throughput_only)
{
    for (unsigned i = 0; i < TRACES; i++)
        cell(0, i)->time.median *= 2;
    struct grade g = grade_allocator(&results, 0);
    near(g.vs_libc, 0.5);
    near(g.throughput, grade_perf_points(0.5));
    near(g.utilization, grade_util_points(0.5));
}
END_TEST

START_TEST(a_ratio_beyond_measure_does_not_carry_the_mean)
{
    for (unsigned i = 0; i < TRACES; i++)
        cell(0, i)->time.median *= 4;
    cell(0, 0)->time.median = 0.001 / 285;
    struct grade g = grade_allocator(&results, 0);
    near(g.vs_libc, pow(GRADE_PERF_MOST / 64, 0.25));
}
END_TEST

START_TEST(one_fault_costs_its_trace_and_all_performance)
{
    cell(0, 2)->fault = FAULT_OVERLAP;
    struct grade g = grade_allocator(&results, 0);
    ck_assert_uint_eq(g.valid, TRACES - 1);
    near(g.correctness, GRADE_CORRECT_POINTS * (TRACES - 1) / (double)TRACES);
    near(g.utilization, 0);
    near(g.throughput, 0);
    ck_assert_int_eq(grade_trace_fault(&sections[0], 0, 2), FAULT_OVERLAP);
    ck_assert_int_eq(grade_trace_fault(&sections[0], 0, 1), FAULT_NONE);
}
END_TEST

START_TEST(a_weight_counts_for_all_three)
{
    static const double weights[TRACES] = {3, 1, 0, 0};
    results.weights = weights;
    cell(0, 0)->peak_heap = 625; /* utilization 0.8 */
    cell(0, 0)->time.median *= 2;
    cell(0, 2)->peak_heap = 500;
    struct grade g = grade_allocator(&results, 0);
    near(g.util, (3 * 0.8 + 0.5) / 4);
    near(g.vs_libc, pow(0.5, 0.75));
    near(g.correctness, GRADE_CORRECT_POINTS);
    cell(0, 1)->fault = FAULT_OVERLAP;
    near(grade_allocator(&results, 0).correctness, GRADE_CORRECT_POINTS * 0.75);
    ck_assert_ptr_nonnull(strstr(printed(), "valid        15.00\n"));
}
END_TEST

START_TEST(a_trace_of_no_weight_costs_by_its_fault)
{
    static const double weights[TRACES] = {1, 1, 0, 1};
    results.weights = weights;
    cell(0, 2)->fault = FAULT_OVERLAP;
    struct grade g = grade_allocator(&results, 0);
    near(g.correctness, GRADE_CORRECT_POINTS);
    near(g.utilization, 0);
}
END_TEST

START_TEST(traces_of_a_round_weigh_as_their_mean)
{
    static const double weights[TRACES] = {4, 0, 0, 0};
    results.nsections = 2;
    results.weights = weights;
    cell(1, 0)->peak_heap = 625;
    near(grade_allocator(&results, 0).util, (0.5 + 0.8) / 2);
}
END_TEST

START_TEST(a_fault_with_threads_costs_all_traces_of_its_round)
{
    results.nsections = 2;
    cell(1, 0)->fault = FAULT_HANG;
    struct grade g = grade_allocator(&results, 0);
    ck_assert_uint_eq(g.traces, 2 * TRACES);
    ck_assert_uint_eq(g.valid, TRACES);
    near(g.correctness, GRADE_CORRECT_POINTS / 2.0);
}
END_TEST

START_TEST(numbers_of_threads_count_alike)
{
    results.nsections = 2;
    cell(1, 0)->peak_heap = 500; /* utilization 1 */
    struct grade g = grade_allocator(&results, 0);
    near(g.utilization, (grade_util_points(0.5) + GRADE_UTIL_POINTS) / 2);
}
END_TEST

START_TEST(a_single_threaded_allocator_is_graded_by_one_thread_alone)
{
    results.nsections = 2;
    cell(1, 0)->ran = cell(1, 0)->checked = false;
    struct grade g = grade_allocator(&results, 0);
    ck_assert_uint_eq(g.traces, TRACES);
    near(g.correctness, GRADE_CORRECT_POINTS);
    near(g.throughput, GRADE_PERF_POINTS);
}
END_TEST

START_TEST(what_is_never_checked_has_no_grade)
{
    for (unsigned i = 0; i < TRACES; i++)
        cell(0, i)->checked = false;
    ck_assert(!grade_allocator(&results, 0).graded);
}
END_TEST

START_TEST(the_last_line_is_json_for_autolab)
{
    char *text = printed(), *json = strrchr(text, '{');
    while (json > text && json[-1] != '\n')
        json--;
    ck_assert_str_eq(json, "{\"scores\": {\"correctness\": 20.00, "
                           "\"utilization\": 10.91, \"throughput\": 40.00}}\n");
}
END_TEST

START_TEST(scores_of_several_allocators_have_their_names)
{
    shown[1] = true;
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "\"mine.utilization\": 10.91"));
    ck_assert_ptr_nonnull(strstr(text, "\"libc.throughput\": 40.00"));
}
END_TEST

START_TEST(a_fault_is_named_in_the_table)
{
    cell(0, 1)->fault = FAULT_DIRTY;
    char *text = printed();
    ck_assert_ptr_nonnull(strstr(text, "dirty         0.00\n"));
    ck_assert_ptr_nonnull(strstr(text, "valid=3/4 correctness=15.00/20 "));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("grade");
    TCase *t = tcase_create("points");
    tcase_add_checked_fixture(t, set_up, NULL);
    tcase_add_test(t, utilization_is_linear_between_its_bounds);
    tcase_add_test(t, throughput_is_linear_up_to_libcs);
    tcase_add_test(t, a_valid_allocator_gets_all_three);
    tcase_add_test(t, a_slow_allocator_loses_throughput_only);
    tcase_add_test(t, a_ratio_beyond_measure_does_not_carry_the_mean);
    tcase_add_test(t, one_fault_costs_its_trace_and_all_performance);
    tcase_add_test(t, a_weight_counts_for_all_three);
    tcase_add_test(t, a_trace_of_no_weight_costs_by_its_fault);
    tcase_add_test(t, traces_of_a_round_weigh_as_their_mean);
    tcase_add_test(t, a_fault_with_threads_costs_all_traces_of_its_round);
    tcase_add_test(t, numbers_of_threads_count_alike);
    tcase_add_test(t,
                   a_single_threaded_allocator_is_graded_by_one_thread_alone);
    tcase_add_test(t, what_is_never_checked_has_no_grade);
    tcase_add_test(t, the_last_line_is_json_for_autolab);
    tcase_add_test(t, scores_of_several_allocators_have_their_names);
    tcase_add_test(t, a_fault_is_named_in_the_table);
    suite_add_tcase(s, t);
    return run_suite(s);
}
