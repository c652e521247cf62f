/* test_trace_ours.c - this project's own format: threads, calloc, memalign. */
#include "tests/run_tests.h"
#include "tests/trace_good.h"

static const char superset[] = "mmtrace 1 # the first line tells the format\n"
                               "# cc1 -O2 x.c\n"
                               "weight 2\n"
                               "ids 4\n"
                               "ops 8\n"
                               "threads 2\n"
                               "a 0 64\n"
                               "c 1 10 8 # 80 bytes\n"
                               "@1\n"
                               "m 2 4096 100\n"
                               "f 0\n"
                               "@0 r 2 50\n"
                               "\n"
                               "c 3 1 70000\n"
                               "@1 f 2\n"
                               "a 0 1\n";

START_TEST(the_superset_has_calloc_memalign_and_threads)
{
    struct trace *t = good(superset);
    ck_assert_int_eq(t->weight, 2);
    ck_assert_uint_eq(t->nthreads, 2);
    ck_assert_uint_eq(t->ops[1].kind, TRACE_CALLOC);
    ck_assert_uint_eq(t->ops[1].size, 80);
    ck_assert_uint_eq(t->ops[1].elem, 8);
    ck_assert_uint_eq(t->ops[2].kind, TRACE_MEMALIGN);
    ck_assert_uint_eq(t->ops[2].align, 12);
    ck_assert_uint_eq(t->ops[2].thread, 1);
    ck_assert_uint_eq(t->ops[4].thread, 0);
    ck_assert_uint_eq(t->ops[5].elem, 0); /* 70000 does not fit */
    ck_assert_uint_eq(t->nallocs, 5);
    ck_assert_uint_eq(t->cross_frees, 2);
    trace_free(t);
}
END_TEST

START_TEST(operations_on_one_block_are_numbered_and_wait_for_other_threads)
{
    static const uint32_t seq[] = {0, 0, 0, 1, 1, 0, 2, 2};
    static const unsigned wait[] = {0, 0, 0, 1, 1, 0, 1, 0};
    struct trace *t = good(superset);
    for (size_t i = 0; i < t->nops; i++) {
        ck_assert_uint_eq(t->seq[i], seq[i]);
        ck_assert_uint_eq(t->ops[i].wait, wait[i]);
    }
    trace_free(t);
}
END_TEST

START_TEST(each_operation_knows_its_line)
{
    static const unsigned line[] = {7, 8, 10, 11, 12, 14, 15, 16};
    struct trace *t = good(superset);
    for (size_t i = 0; i < t->nops; i++)
        ck_assert_uint_eq(trace_line(t, i), line[i]);
    trace_free(t);
}
END_TEST

START_TEST(a_file_without_gaps_stores_no_line_numbers)
{
    struct trace *t = good("mmtrace 1\nids 1\nops 2\na 0 1\nf 0\n");
    ck_assert_ptr_null(t->line);
    ck_assert_uint_eq(trace_line(t, 1), 5);
    trace_free(t);
}
END_TEST

START_TEST(weight_and_threads_are_1_where_the_superset_does_not_say)
{
    struct trace *t = good("mmtrace 1\nops 1\nids 1\na 0 1\n");
    ck_assert_int_eq(t->weight, 1);
    ck_assert_uint_eq(t->nthreads, 1);
    trace_free(t);
}
END_TEST

/* The indented lines of docs/traces.md from `mmtrace` to the next blank one. */
static void read_example(char *text, size_t room)
{
    char line[256];
    size_t n = 0;
    FILE *docs = fopen("docs/traces.md", "r");
    ck_assert_ptr_nonnull(docs);
    while (fgets(line, sizeof line, docs) && (n == 0 || line[0] != '\n'))
        if (n > 0 || strncmp(line, "    mmtrace", 11) == 0)
            n += (size_t)snprintf(text + n, room - n, "%s", line + 4);
    fclose(docs);
}

START_TEST(the_example_in_the_docs_is_a_trace)
{
    char text[2048] = "";
    read_example(text, sizeof text);
    struct trace *t = good(text);
    ck_assert_uint_eq(t->nops, 7);
    ck_assert_uint_eq(t->nthreads, 2);
    ck_assert_uint_eq(t->cross_frees, 1);
    trace_free(t);
}
END_TEST

/* Four threads on few ids, so that blocks change hands all the time. */
static char *random_trace(unsigned seed, size_t nops, size_t *size)
{
    enum { IDS = 16 };
    bool live[IDS] = {false};
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    fprintf(out, "mmtrace 1\nids %d\nops %zu\nthreads 4\n", IDS, nops);
    for (size_t i = 0; i < nops; i++) {
        unsigned r = (unsigned)rand_r(&seed), id = r % IDS, n = r / IDS % 999;
        fprintf(out, i % 3 ? "@%zu " : "@%zu\n", i < 4 ? i : r / 7 % 4);
        if (!live[id])
            fprintf(out, n % 2 ? "c %u 4 %u\n" : "m %u 64 %u\n", id, n);
        else if (n % 3)
            fprintf(out, "r %u %u\n", id, n);
        else
            fprintf(out, "f %u\n", id);
        live[id] = !live[id] || n % 3;
    }
    fclose(out);
    return text;
}

START_TEST(a_trace_printed_and_read_again_is_the_same)
{
    char err[256] = "";
    for (unsigned seed = 1; seed <= 20; seed++) {
        size_t size, printed;
        char *text = random_trace(seed, 500, &size);
        struct trace *t = good(text);
        char *again = trace_print(t, &printed);
        struct trace *u = trace_parse("t", again, printed, err, sizeof err);
        ck_assert_msg(u, "%s", err);
        ck_assert(trace_same(t, u));
        ck_assert_uint_gt(t->cross_frees, 0);
        trace_free(t);
        trace_free(u);
        free(text);
        free(again);
    }
}
END_TEST

static Suite *all_tests(void)
{
    Suite *suite = suite_create("trace_ours");
    TCase *tc = tcase_create("superset");
    tcase_add_test(tc, the_superset_has_calloc_memalign_and_threads);
    tcase_add_test(
        tc, operations_on_one_block_are_numbered_and_wait_for_other_threads);
    tcase_add_test(tc, each_operation_knows_its_line);
    tcase_add_test(tc, a_file_without_gaps_stores_no_line_numbers);
    tcase_add_test(tc,
                   weight_and_threads_are_1_where_the_superset_does_not_say);
    tcase_add_test(tc, the_example_in_the_docs_is_a_trace);
    tcase_add_test(tc, a_trace_printed_and_read_again_is_the_same);
    suite_add_tcase(suite, tc);
    return suite;
}

int main(void)
{
    return run_suite(all_tests());
}
