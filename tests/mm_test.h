/* mm_test.h - for the tests of the allocator as programs see it: each test runs
 * once for each stage. A stage is a line of `stages`. */
#ifndef TESTS_MM_TEST_H
#define TESTS_MM_TEST_H

#include "memlib.h"
#include "mm.h"

#include "tests/run_tests.h"
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static const struct mm_allocator *const stages[] = {
    &mm_global,   &mm_per_thread, &mm_arena,    &mm_arena_favorite,
    &mm_lockfree, &mm_fit_list,   &mm_fit_tree, &mm_fit_tlsf};

static const struct mm_allocator *mm; /* the one under test, after begin */

/* The first line of each test: begin(_i). */
static inline void begin(int stage)
{
    mm = stages[stage];
    ck_assert_msg(mm->init() == 0, "%s: no memory", mm->name);
}

/* And the last one. */
static inline void ck_healthy(void)
{
    ck_assert_msg(mm->check() == 0, "%s: see stderr", mm->name);
}

static inline void ck_filled(const void *p, size_t size, int c)
{
    const unsigned char *s = p;
    for (size_t i = 0; i < size; i++)
        if (s[i] != (unsigned char)c)
            ck_abort_msg("%s: byte %zu of %zu is %d, expected %d", mm->name, i,
                         size, s[i], c);
}

/* A block of size bytes, all of which are c. */
static inline char *take(size_t size, int c)
{
    char *p = mm->malloc(size);
    ck_assert_msg(p != NULL, "%s: malloc(%zu)", mm->name, size);
    ck_assert_uint_eq((uintptr_t)p % 16, 0);
    return memset(p, c, size);
}

/* call is NULL, and sets errno to error. */
#define ck_fails(call, error)                                                  \
    do {                                                                       \
        errno = 0;                                                             \
        ck_assert_ptr_null(call);                                              \
        ck_assert_int_eq(errno, error);                                        \
    } while (0)

/* Each test once a stage, in a process of its own. tests ends with NULL. */
static inline int run_stage_tests(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    int nstages = sizeof stages / sizeof *stages;
    for (; *tests; tests++)
        tcase_add_loop_test(tc, *tests, 0, nstages);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

#endif
