/* test_trace_file.c - what can be opened as a trace, and what is refused. */
#include "tests/run_tests.h"
#include "tests/trace_files.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define NOBODY 65534

START_TEST(a_plain_file_is_read)
{
    expect_good(write_file("t.rep", trace_text, strlen(trace_text)));
}
END_TEST

START_TEST(an_empty_file)
{
    expect_bad(write_file("t.rep", "", 0), "1: found an empty file, expected "
                                           "`mmtrace 1` or a header number");
}
END_TEST

START_TEST(a_bad_line_is_told_with_the_path)
{
    expect_bad(write_file("t.rep", "1\n1\n1\n1\nf 0\n", 12),
               "5: found `f 0`, expected a live id: it was never allocated");
}
END_TEST

START_TEST(a_file_that_is_not_there)
{
    expect_bad(in_dir("none.rep"),
               " cannot be opened: No such file or directory; -f takes a trace "
               "file, -t a directory of them");
}
END_TEST

START_TEST(a_file_without_permission)
{
    const char *path = write_file("t.rep", trace_text, strlen(trace_text));
    ck_assert_int_eq(chmod(path, 0), 0);
    if (geteuid() == 0) /* root may read anything */
        ck_assert_int_eq(seteuid(NOBODY), 0);
    expect_bad(path, " cannot be opened: Permission denied; -f takes a trace "
                     "file, -t a directory of them");
    if (getuid() == 0)
        ck_assert_int_eq(seteuid(0), 0);
}
END_TEST

START_TEST(a_directory)
{
    expect_bad(test_dir, " is a directory; expected a trace file; -t takes a "
                         "directory");
}
END_TEST

START_TEST(a_fifo_that_nobody_writes_is_refused_at_once)
{
    const char *path = in_dir("t.rep");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_bad(path, " is a FIFO; expected a trace file");
}
END_TEST

START_TEST(a_device_without_an_end_is_refused_at_once)
{
    expect_bad("/dev/zero", " is a character device; expected a trace file");
}
END_TEST

START_TEST(a_socket)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int s = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s/t.rep", test_dir);
    ck_assert_int_eq(bind(s, (struct sockaddr *)&name, sizeof name), 0);
    expect_bad(name.sun_path,
               " cannot be opened: No such device or "
               "address; -f takes a trace file, -t a directory of them");
    close(s);
}
END_TEST

START_TEST(a_file_whose_size_is_a_lie)
{
    expect_bad("/proc/self/status", " changed while it was read; is a program "
                                    "still writing it?");
}
END_TEST

START_TEST(a_file_too_large_is_refused_without_reading_it)
{
    const char *path = write_file("t.rep", trace_text, strlen(trace_text));
    ck_assert_int_eq(truncate(path, (off_t)TRACE_MAX_TEXT + 1), 0);
    expect_bad(path, " found 268435457 bytes, expected at most 268435456");
}
END_TEST

START_TEST(headers_that_lie_cost_no_memory)
{
    size_t before = peak_of_address_space();
    expect_bad(write_file("t.rep", "1\n9\n4000000000\n1\na 0 1\n", 23),
               "3: found 4000000000 operations announced and 6 bytes for "
               "them, expected at least 15999999999: is the file cut short?");
    expect_bad(write_file("t.rep", "1\n4000000000\n1\n1\na 0 1\n", 23),
               "2: found 4000000000 ids, expected at most 1, the number of "
               "operations");
    ck_assert_uint_le(peak_of_address_space() - before, 4 * MIB);
}
END_TEST

/* ---- directories ------------------------------------------------------ */

START_TEST(a_directory_lists_its_traces_by_name)
{
    static const char *const files[] = {
        "b.rep", "README", ".x.rep",      "a.trace", "c.rep.zst",
        "c.zst", ".rep",   "B.trace.zst", "b.rep~",
    };
    static const char *const want[] = {"B.trace.zst", "a.trace", "b.rep",
                                       "c.rep.zst"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        write_file(files[i], "", 0);
    size_t n;
    char **paths = trace_list(test_dir, &n, err, sizeof err);
    ck_assert_uint_eq(n, 4);
    for (size_t i = 0; i < n; i++) {
        ck_assert_str_eq(paths[i], in_dir(want[i]));
        free(paths[i]);
    }
    free(paths);
}
END_TEST

static void expect_no_list(const char *path, const char *message)
{
    char want[512];
    size_t n = 7;
    snprintf(want, sizeof want, "%s:%s", path, message);
    ck_assert_ptr_null(trace_list(path, &n, err, sizeof err));
    ck_assert_uint_eq(n, 0);
    ck_assert_str_eq(err, want);
}

START_TEST(a_directory_without_traces)
{
    expect_no_list(test_dir, " has no trace in it; expected files named "
                             "*.rep or *.trace, or these with .zst");
}
END_TEST

START_TEST(a_directory_that_is_not_one)
{
    expect_no_list("/dev/null",
                   " cannot be listed: Not a directory; "
                   "-t takes a directory of traces, -f one trace file");
}
END_TEST

static Suite *all_tests(void)
{
    Suite *suite = suite_create("trace_file");
    TCase *files = trace_files_case(suite, "files");
    tcase_add_test(files, a_plain_file_is_read);
    tcase_add_test(files, an_empty_file);
    tcase_add_test(files, a_bad_line_is_told_with_the_path);
    tcase_add_test(files, a_file_that_is_not_there);
    tcase_add_test(files, a_file_without_permission);
    tcase_add_test(files, a_directory);
    tcase_add_test(files, a_fifo_that_nobody_writes_is_refused_at_once);
    tcase_add_test(files, a_device_without_an_end_is_refused_at_once);
    tcase_add_test(files, a_socket);
    tcase_add_test(files, a_file_whose_size_is_a_lie);
    tcase_add_test(files, a_file_too_large_is_refused_without_reading_it);
    tcase_add_test(files, headers_that_lie_cost_no_memory);
    TCase *dirs = trace_files_case(suite, "directories");
    tcase_add_test(dirs, a_directory_lists_its_traces_by_name);
    tcase_add_test(dirs, a_directory_without_traces);
    tcase_add_test(dirs, a_directory_that_is_not_one);
    return suite;
}

int main(void)
{
    return run_suite(all_tests());
}
