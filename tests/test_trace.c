/* test_trace.c - what the trace reader accepts, and what it makes of it.
 *
 * The superset has test_trace_ours.c; what is refused, test_trace_bad.c. */
#include "tests/run_tests.h"
#include "tests/trace_good.h"

static void expect_weight(const char *header, int weight)
{
    char text[128];
    snprintf(text, sizeof text, "%sa 0 16\na 1 24\nf 0\nf 1\n", header);
    struct trace *t = good(text);
    ck_assert_int_eq(t->weight, weight);
    ck_assert_uint_eq(t->nids, 2);
    ck_assert_uint_eq(t->nops, 4);
    ck_assert_uint_eq(t->first_line, 5);
    trace_free(t);
}

START_TEST(csapp_2002_has_its_weight_in_line_4)
{
    expect_weight("20000\n2\n4\n1\n", 1);
    expect_weight("4\n2\n4\n0\n", 0);
}
END_TEST

START_TEST(older_213_has_its_weight_in_line_1_and_a_flag_in_line_4)
{
    expect_weight("3\n2\n4\n0\n", 3);
    expect_weight("0\n2\n4\n1\n", 0);
}
END_TEST

START_TEST(newer_213_has_its_weight_in_line_1_and_max_live_bytes_in_line_4)
{
    expect_weight("2\n2\n4\n40\n", 2);
}
END_TEST

START_TEST(two_header_numbers_go_with_a_thread_column)
{
    struct trace *t = good("2\n4\n70 a 0 16\n9 a 1 5\n9 f 0\n70 f 1\n");
    static const unsigned thread[] = {0, 1, 1, 0};
    ck_assert_uint_eq(t->nthreads, 2);
    ck_assert_int_eq(t->weight, 1);
    ck_assert_uint_eq(t->cross_frees, 2);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(t->ops[i].thread, thread[i]);
    trace_free(t);
}
END_TEST

START_TEST(a_thread_column_may_follow_four_header_numbers)
{
    struct trace *t = good("3 1 2 16\n5 a 0 16\n5 f 0\n");
    ck_assert_uint_eq(t->nthreads, 1);
    ck_assert_int_eq(t->weight, 3);
    ck_assert_ptr_null(t->seq);
    trace_free(t);
}
END_TEST

START_TEST(two_header_numbers_without_threads_are_accepted)
{
    struct trace *t = good("1\n2\na 0 16\nf 0\n");
    ck_assert_uint_eq(t->nthreads, 1);
    ck_assert_uint_eq(t->first_line, 3);
    trace_free(t);
}
END_TEST

START_TEST(crlf_blank_lines_tabs_and_a_missing_last_newline_are_accepted)
{
    struct trace *t = good("1\r\n2\r\n4\r\n40\r\n\r\na 0\t16  \r\n\n"
                           "  a 1 24\r\nf 0 \nf 1\r");
    ck_assert_uint_eq(trace_line(t, 0), 6);
    ck_assert_uint_eq(trace_line(t, 1), 8);
    ck_assert_uint_eq(trace_line(t, 3), 10);
    trace_free(t);
}
END_TEST

START_TEST(free_of_minus_one_is_free_of_null)
{
    struct trace *t = good("1\n0\n2\n1\nf -1\nf -1\n");
    ck_assert_uint_eq(t->ops[0].id, TRACE_NO_ID);
    ck_assert_uint_eq(t->nfrees, 2);
    ck_assert(t->balanced);
    trace_free(t);
}
END_TEST

START_TEST(realloc_of_an_id_that_is_not_live_is_malloc)
{
    struct trace *t = good("1\n1\n4\n30\nr 0 10\nf 0\nr 0 30\nr 0 20\n");
    ck_assert_uint_eq(t->nallocs, 2);
    ck_assert_uint_eq(t->nreallocs, 1);
    ck_assert_uint_eq(t->ops[0].kind, TRACE_MALLOC);
    ck_assert_uint_eq(t->ops[2].kind, TRACE_MALLOC);
    ck_assert_uint_eq(t->ops[3].kind, TRACE_REALLOC);
    ck_assert(!t->balanced);
    trace_free(t);
}
END_TEST

START_TEST(realloc_to_nothing_frees)
{
    struct trace *t = good("1\n1\n4\n1\na 0 1\nr 0 0\na 0 1\nr 0 0\n");
    ck_assert_uint_eq(t->ops[1].kind, TRACE_REALLOC);
    ck_assert_uint_eq(t->ops[1].size, 0);
    ck_assert(t->balanced);
    trace_free(t);
}
END_TEST

START_TEST(realloc_of_nothing_to_nothing_is_malloc_of_nothing)
{
    struct trace *t = good("1\n1\n2\n0\nr 0 0\nf 0\n");
    ck_assert_uint_eq(t->ops[0].kind, TRACE_MALLOC);
    ck_assert_uint_eq(t->nallocs, 1);
    trace_free(t);
}
END_TEST

START_TEST(an_allocation_of_nothing_is_live)
{
    struct trace *t = good("1\n2\n2\n0\na 0 0\nf 0\n");
    ck_assert(t->balanced);
    ck_assert_uint_eq(t->peak_payload, 0);
    trace_free(t);
}
END_TEST

START_TEST(the_largest_size_is_kept_exactly)
{
    struct trace *t = good("1\n1\n1\n140737488355327\na 0 140737488355327\n");
    ck_assert_uint_eq(t->ops[0].size, TRACE_MAX_SIZE);
    ck_assert_uint_eq(t->peak_payload, TRACE_MAX_SIZE);
    trace_free(t);
}
END_TEST

START_TEST(the_peak_counts_a_resized_block_once)
{
    struct trace *t = good("1\n3\n8\n896\na 0 512\na 1 128\nr 0 640\na 2 128\n"
                           "f 1\nr 0 768\nf 0\nf 2\n");
    ck_assert_uint_eq(t->peak_payload, 896);
    trace_free(t);
}
END_TEST

/* ---- names ------------------------------------------------------------ */

static void expect_name(const char *path, const char *name)
{
    char err[256] = "";
    struct trace *t = trace_parse(path, "0 1 1 1 a 0 1", 13, err, sizeof err);
    ck_assert_msg(t, "%s", err);
    ck_assert_str_eq(t->path, path);
    ck_assert_str_eq(t->name, name);
    trace_free(t);
}

START_TEST(a_name_is_the_file_name_without_its_suffixes)
{
    expect_name("traces/cccp-bal.rep", "cccp-bal");
    expect_name("x.y/server.trace.zst", "server");
    expect_name("sqlite.rep.zst", "sqlite");
    expect_name("plain", "plain");
    expect_name("dir/.rep", ".rep");
    expect_name("a.rep.trace", "a.rep");
}
END_TEST

static void add_accepted(TCase *tc)
{
    tcase_add_test(tc, csapp_2002_has_its_weight_in_line_4);
    tcase_add_test(tc, older_213_has_its_weight_in_line_1_and_a_flag_in_line_4);
    tcase_add_test(
        tc, newer_213_has_its_weight_in_line_1_and_max_live_bytes_in_line_4);
    tcase_add_test(tc, two_header_numbers_go_with_a_thread_column);
    tcase_add_test(tc, a_thread_column_may_follow_four_header_numbers);
    tcase_add_test(tc, two_header_numbers_without_threads_are_accepted);
    tcase_add_test(
        tc, crlf_blank_lines_tabs_and_a_missing_last_newline_are_accepted);
    tcase_add_test(tc, free_of_minus_one_is_free_of_null);
    tcase_add_test(tc, realloc_of_an_id_that_is_not_live_is_malloc);
    tcase_add_test(tc, realloc_to_nothing_frees);
    tcase_add_test(tc, realloc_of_nothing_to_nothing_is_malloc_of_nothing);
    tcase_add_test(tc, an_allocation_of_nothing_is_live);
    tcase_add_test(tc, the_largest_size_is_kept_exactly);
    tcase_add_test(tc, the_peak_counts_a_resized_block_once);
    tcase_add_test(tc, a_name_is_the_file_name_without_its_suffixes);
}

static Suite *all_tests(void)
{
    Suite *suite = suite_create("trace");
    TCase *accepted = tcase_create("accepted");
    add_accepted(accepted);
    suite_add_tcase(suite, accepted);
    return suite;
}

int main(void)
{
    return run_suite(all_tests());
}
