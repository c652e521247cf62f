/* run_tests.h - what test programs need, whatever they test: a main that runs a
 * suite or a table of tests, threads, a look at bytes. */
#ifndef TESTS_RUN_TESTS_H
#define TESTS_RUN_TESTS_H

#include <check.h>
#include <pthread.h>
#include <string.h>

/* @return main's exit status */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

/* Each test in a process of its own, after setup.
 * @param tests  ends with NULL.  @return main's exit status */
static inline int run_tests(const char *name, void (*setup)(void),
                            const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    tcase_add_checked_fixture(tc, setup, NULL);
    for (; *tests; tests++)
        tcase_add_test(tc, *tests);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

/* ---- for tests ---------------------------------------------------------- */

static inline pthread_t thread_start(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    int error = pthread_create(&thread, NULL, run, arg);
    ck_assert_msg(error == 0, "pthread_create: %s", strerror(error));
    return thread;
}

static inline void *thread_wait(pthread_t thread)
{
    void *result;
    ck_assert_int_eq(pthread_join(thread, &result), 0);
    return result;
}

static inline void ck_zero(const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i])
            ck_abort_msg("byte %zu of %zu is %d", i, size, p[i]);
}

#endif
