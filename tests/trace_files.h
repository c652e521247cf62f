/* trace_files.h - trace files on disk, for the tests of the reader.
 *
 * Each test has an empty directory of its own, test_dir, made and removed by
 * the fixture that trace_files_case adds. */
#ifndef TESTS_TRACE_FILES_H
#define TESTS_TRACE_FILES_H

#include "driver/trace/trace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MIB ((size_t)1 << 20)
#define PATH 256

/* What expect_good wants to find in a file. */
static const char trace_text[] = "1\n2\n4\n40\na 0 16\na 1 24\nf 0\nf 1\n";
static char test_dir[64];
static char err[512];

static void make_dir(void)
{
    strcpy(test_dir, "/tmp/test_trace.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(test_dir));
    ck_assert_int_eq(chmod(test_dir, 0755), 0);
}

static void remove_dir(void)
{
    char command[PATH];
    snprintf(command, sizeof command, "rm -rf '%s'", test_dir);
    ck_assert_int_eq(system(command), 0);
}

/* Two calls may be in use at a time. */
static inline const char *in_dir(const char *name)
{
    static char path[2][PATH];
    static unsigned turn;
    char *p = path[turn++ % 2];
    snprintf(p, PATH, "%s/%s", test_dir, name);
    return p;
}

static inline const char *write_file(const char *name, const void *data,
                                     size_t size)
{
    const char *path = in_dir(name);
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(data, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
    return path;
}

static inline void expect_bad(const char *path, const char *message)
{
    char want[512];
    snprintf(want, sizeof want, "%s:%s", path, message);
    ck_assert_ptr_null(trace_read(path, err, sizeof err));
    ck_assert_str_eq(err, want);
}

static inline void expect_good(const char *path)
{
    struct trace *t = trace_read(path, err, sizeof err);
    ck_assert_msg(t, "%s", err);
    ck_assert_str_eq(t->path, path);
    ck_assert_uint_eq(t->nops, 4);
    ck_assert_uint_eq(t->peak_payload, 40);
    trace_free(t);
}

static inline size_t peak_of_address_space(void)
{
    size_t kib = 0;
    char line[PATH];
    FILE *f = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmPeak: %zu", &kib) == 1)
            break;
    fclose(f);
    return kib * 1024;
}

static inline TCase *trace_files_case(Suite *suite, const char *name)
{
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, make_dir, remove_dir);
    suite_add_tcase(suite, tc);
    return tc;
}

#endif
