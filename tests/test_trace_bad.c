/* test_trace_bad.c - everything malformed is refused, and named exactly.
 *
 * The malformed texts are in bad_traces.h, a test for each; what is bad as a
 * file is in test_trace_file.c and test_trace_zstd.c. */
#include "driver/trace/trace.h"
#include "tests/bad_traces.h"

#include "tests/run_tests.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect_bad(const char *text, size_t size, const char *message)
{
    char err[256] = "", want[256];
    /* A copy of the exact size: ASan sees a byte read too far. */
    char *copy = malloc(size + !size);
    memcpy(copy, text, size);
    struct trace *t = trace_parse("t", copy, size, err, sizeof err);
    free(copy);
    snprintf(want, sizeof want, "t:%s", message);
    ck_assert_ptr_null(t);
    ck_assert_str_eq(err, want);
}

#define DEFINE_BAD(name, text, message)                                        \
    START_TEST(name)                                                           \
    {                                                                          \
        expect_bad(text, sizeof(text) - 1, message);                           \
    }                                                                          \
    END_TEST
BAD_HEADERS(DEFINE_BAD)
BAD_OURS(DEFINE_BAD)
BAD_OPS(DEFINE_BAD)
BAD_THREAD_COLUMNS(DEFINE_BAD)

START_TEST(too_many_different_threads_in_a_column)
{
    char text[8192] = "257\n257\n";
    size_t n = strlen(text);
    for (int i = 0; i < 257; i++)
        n += (size_t)sprintf(text + n, "%d a %d 1\n", 1000 + i, i);
    expect_bad(text, n,
               "259: found thread 1256 after 256 others, expected at "
               "most 256 threads");
}
END_TEST

START_TEST(a_message_that_does_not_fit_is_cut_not_overrun)
{
    char err[16];
    memset(err, '#', sizeof err);
    ck_assert_ptr_null(trace_parse("t", "x", 1, err, 8));
    ck_assert_str_eq(err, "t:1: fo");
    ck_assert_int_eq(err[8], '#');
}
END_TEST

START_TEST(a_message_is_one_line_whatever_the_file_name)
{
    char err[256] = "";
    ck_assert_ptr_null(trace_parse("a\nb\x1b", "", 0, err, sizeof err));
    ck_assert_ptr_eq(strstr(err, "a?b?:1: "), err);
}
END_TEST

START_TEST(every_prefix_of_a_file_is_refused_but_the_whole)
{
    static const char text[] = "mmtrace 1\nids 3\nops 6\nthreads 2\na 0 64\n"
                               "c 1 10 8\n@1\na 2 100\n@0 f 2\nm 2 64 1000\n"
                               "f -1\n";
    char err[256];
    size_t whole = sizeof text - 2; /* the last newline may be missing */
    for (size_t n = 0; n < whole; n++) {
        struct trace *t = trace_parse("t", text, n, err, sizeof err);
        ck_assert_msg(!t, "the first %zu bytes were taken", n);
    }
    struct trace *t = trace_parse("t", text, whole, err, sizeof err);
    ck_assert_msg(t, "%s", err);
    trace_free(t);
}
END_TEST

#define ADD_BAD(name, text, message) tcase_add_test(tc, name);

static Suite *all_tests(void)
{
    Suite *suite = suite_create("trace_bad");
    TCase *tc = tcase_create("refused");
    BAD_HEADERS(ADD_BAD)
    BAD_OURS(ADD_BAD)
    BAD_OPS(ADD_BAD)
    BAD_THREAD_COLUMNS(ADD_BAD)
    tcase_add_test(tc, too_many_different_threads_in_a_column);
    tcase_add_test(tc, a_message_that_does_not_fit_is_cut_not_overrun);
    tcase_add_test(tc, a_message_is_one_line_whatever_the_file_name);
    tcase_add_test(tc, every_prefix_of_a_file_is_refused_but_the_whole);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(all_tests());
}
