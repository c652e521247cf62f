/* designs_test.h - for the tests of the designs as programs see them: each test
 * runs once for each design. The tests of one design from inside include its
 * source instead. */
#ifndef TESTS_DESIGNS_TEST_H
#define TESTS_DESIGNS_TEST_H

#include "memlib.h"
#include "mm.h"
#include "tests/limits.h"

#include "tests/run_tests.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static const struct mm_allocator *const designs[] = {
    &mm_buddy,        &mm_buddy_plain,   &mm_bucket,
    &mm_bucket_inbox, &mm_bucket_global, &mm_fit_cas};

#define NDESIGNS (int)(sizeof designs / sizeof designs[0])

/* Its blocks are in memlib's first zone: 64 GiB, and a heap does not shrink.
 * It has no variants, and no call before init. */
static inline bool in_the_range(int design)
{
    return designs[design] == &mm_fit_cas;
}

static const struct mm_allocator *mm; /* the one under test, after begin */

/* The first line of each test: begin(_i). */
static inline void begin(int design)
{
    mm = designs[design];
    ck_assert_msg(mm->init() == 0, "%s: no memory", mm->name);
}

static inline void ck_healthy(void)
{
    ck_assert_msg(mm->check() == 0, "%s: see stderr", mm->name);
}

/* For the inside of loops: nothing is written while it holds. */
#define demand(holds)                                                          \
    do {                                                                       \
        if (!(holds))                                                          \
            ck_abort_msg("%s: not so: %s", mm->name, #holds);                  \
    } while (0)

#define ck_fails(call, error)                                                  \
    do {                                                                       \
        errno = 0;                                                             \
        ck_assert_ptr_null(call);                                              \
        ck_assert_int_eq(errno, error);                                        \
    } while (0)

/* A block of size bytes, all of which are c. */
static inline char *take(size_t size, int c)
{
    char *p = mm->malloc(size);
    demand(p && (uintptr_t)p % 16 == 0 && mm->usable_size(p) >= size);
    return memset(p, c, size);
}

static inline void demand_filled(const char *p, size_t size, int c)
{
    for (size_t i = 0; i < size; i++)
        demand(p[i] == (char)c);
}

static inline struct mm_stats stats_now(void)
{
    struct mm_stats s;
    mm->stats(&s);
    return s;
}

/* A thread that comes, does one thing and goes. */
static inline void *in_thread(void *(*run)(void *), void *arg)
{
    return thread_wait(thread_start(run, arg));
}

/* Each test once a design, in a process of its own. tests ends with NULL. */
static inline int run_design_tests(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    for (; *tests; tests++)
        tcase_add_loop_test(tc, *tests, 0, NDESIGNS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

#endif
