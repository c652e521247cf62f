/* check.h - in place of Check where there is none (make WITHOUT=check): as much
 * of it as the tests use.
 *
 * Each test runs in a process of its own. What an assertion has to say goes
 * through a page that both share; the lines printed are those of Check, which
 * tests/run.sh reads. */
#ifndef TESTS_WITHOUT_CHECK_H
#define TESTS_WITHOUT_CHECK_H

#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CK_MOST 256 /* tests of one program */
/* Check's names of them, which are no structs. */
#define TTest struct ck_test
#define TCase struct ck_case
#define Suite struct ck_suite
#define SRunner struct ck_runner
#define CK_ENV 0 /* always one process for each test, all lines */

struct ck_test {
    const char *name, *file;
    int line;
    void (*run)(int i);
};

struct ck_case {
    const char *name;
    void (*setup)(void), (*teardown)(void);
    struct {
        const TTest *test;
        int first, end;   /* what it is called with */
        int signal, exit; /* how it has to end */
    } tests[CK_MOST];
    int ntests;
};

struct ck_suite {
    TCase *tcase;
};

struct ck_runner {
    Suite *suite;
    int ntests, nfailed, nerrors;
};

struct ck_said {
    const char *file;
    int line;
    char text[1024];
};

static struct ck_said *ck_said;

#define START_TEST(name_)                                                      \
    static void name_##_run(int _i);                                           \
    static const TTest name_##_test = {#name_, __FILE__, __LINE__,             \
                                       name_##_run};                           \
    static const TTest *const name_ = &name_##_test;                           \
    static void name_##_run(int _i __attribute__((unused)))
#define END_TEST

/* ---- assertions ---------------------------------------------------------- */

/* Ends the process, whichever it is: a child of a test's own, too. */
__attribute__((format(printf, 3, 4), noreturn, cold, unused)) static void
ck_fail(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(ck_said->text, sizeof ck_said->text, format, args);
    va_end(args);
    ck_said->file = file;
    ck_said->line = line;
    _exit(1);
}

#define ck_abort_msg(...) ck_fail(__FILE__, __LINE__, __VA_ARGS__)
#define ck_assert_msg(holds, ...)                                              \
    ((holds) ? (void)0 : ck_fail(__FILE__, __LINE__, __VA_ARGS__))
#define ck_assert(holds) ck_assert_msg(holds, "not so: %s", #holds)

#define CK_COMPARE(type, format, a, op, b)                                     \
    do {                                                                       \
        type a_ = (a);                                                         \
        type b_ = (b);                                                         \
        ck_assert_msg(a_ op b_, "%s %s %s: " format " and " format, #a, #op,   \
                      #b, a_, b_);                                             \
    } while (0)
#define CK_INT(a, op, b) CK_COMPARE(intmax_t, "%jd", a, op, b)
#define CK_UINT(a, op, b) CK_COMPARE(uintmax_t, "%ju", a, op, b)
#define CK_PTR(a, op, b) CK_COMPARE(const void *, "%p", a, op, b)
#define CK_DOUBLE(a, op, b) CK_COMPARE(double, "%.10g", a, op, b)

#define ck_assert_int_eq(a, b) CK_INT(a, ==, b)
#define ck_assert_int_ne(a, b) CK_INT(a, !=, b)
#define ck_assert_int_lt(a, b) CK_INT(a, <, b)
#define ck_assert_int_le(a, b) CK_INT(a, <=, b)
#define ck_assert_int_gt(a, b) CK_INT(a, >, b)
#define ck_assert_int_ge(a, b) CK_INT(a, >=, b)
#define ck_assert_uint_eq(a, b) CK_UINT(a, ==, b)
#define ck_assert_uint_ne(a, b) CK_UINT(a, !=, b)
#define ck_assert_uint_lt(a, b) CK_UINT(a, <, b)
#define ck_assert_uint_le(a, b) CK_UINT(a, <=, b)
#define ck_assert_uint_gt(a, b) CK_UINT(a, >, b)
#define ck_assert_uint_ge(a, b) CK_UINT(a, >=, b)
#define ck_assert_ptr_eq(a, b) CK_PTR(a, ==, b)
#define ck_assert_ptr_ne(a, b) CK_PTR(a, !=, b)
#define ck_assert_ptr_null(a) CK_PTR(a, ==, NULL)
#define ck_assert_ptr_nonnull(a) CK_PTR(a, !=, NULL)
#define ck_assert_double_eq(a, b) CK_DOUBLE(a, ==, b)
#define ck_assert_double_lt(a, b) CK_DOUBLE(a, <, b)
#define ck_assert_double_gt(a, b) CK_DOUBLE(a, >, b)
#define ck_assert_double_eq_tol(a, b, tolerance)                               \
    do {                                                                       \
        double off_ = (a) - (b);                                               \
        CK_DOUBLE(off_ < 0 ? -off_ : off_, <, tolerance);                      \
    } while (0)
#define ck_assert_str_eq(a, b)                                                 \
    do {                                                                       \
        const char *s_ = (a), *t_ = (b);                                       \
        ck_assert_msg(strcmp(s_, t_) == 0, "%s == %s: '%s' and '%s'", #a, #b,  \
                      s_, t_);                                                 \
    } while (0)
#define ck_assert_mem_eq(a, b, size)                                           \
    ck_assert_msg(memcmp(a, b, size) == 0, "the bytes of %s and %s differ",    \
                  #a, #b)

/* ---- what there is to run ------------------------------------------------ */

static inline Suite *suite_create(const char *name)
{
    static Suite suite;
    (void)name;
    return &suite;
}

static inline TCase *tcase_create(const char *name)
{
    static TCase tcase;
    tcase.name = name;
    return &tcase;
}

static inline void suite_add_tcase(Suite *suite, TCase *tc)
{
    suite->tcase = tc;
}

static inline void tcase_add_checked_fixture(TCase *tc, void (*setup)(void),
                                             void (*teardown)(void))
{
    tc->setup = setup;
    tc->teardown = teardown;
}

static inline void ck_add(TCase *tc, const TTest *test, int first, int end,
                          int signal, int exit_status)
{
    if (tc->ntests == CK_MOST) {
        fprintf(stderr, "tests/without/check.h: found more than %d tests\n",
                CK_MOST);
        exit(2);
    }
    tc->tests[tc->ntests].test = test;
    tc->tests[tc->ntests].first = first;
    tc->tests[tc->ntests].end = end;
    tc->tests[tc->ntests].signal = signal;
    tc->tests[tc->ntests++].exit = exit_status;
}

#define tcase_add_test(tc, test) ck_add(tc, test, 0, 1, 0, 0)
#define tcase_add_loop_test(tc, test, first, end)                              \
    ck_add(tc, test, first, end, 0, 0)
#define tcase_add_exit_test(tc, test, status) ck_add(tc, test, 0, 1, 0, status)
#define tcase_add_test_raise_signal(tc, test, signal)                          \
    ck_add(tc, test, 0, 1, signal, 0)

/* ---- running ------------------------------------------------------------- */

static inline SRunner *srunner_create(Suite *suite)
{
    static SRunner runner;
    runner.suite = suite;
    ck_said = mmap(NULL, sizeof *ck_said, PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ck_said == MAP_FAILED) {
        perror("tests/without/check.h: mmap");
        exit(2);
    }
    return &runner;
}

__attribute__((noreturn)) static inline void ck_child(const TCase *tc,
                                                      const TTest *test, int i)
{
    setpgid(0, 0);
    if (tc->setup)
        tc->setup();
    test->run(i);
    if (tc->teardown)
        tc->teardown();
    exit(0);
}

/* @return how the child ended; what it left behind is ended, too */
static inline int ck_run(const TCase *tc, const TTest *test, int i)
{
    int status = -1;
    ck_said->text[0] = '\0';
    fflush(NULL);
    pid_t child = fork();
    if (child == 0)
        ck_child(tc, test, i);
    if (child < 0 || waitpid(child, &status, 0) != child) {
        perror("tests/without/check.h: fork");
        exit(2);
    }
    kill(-child, SIGKILL);
    return status;
}

static inline char ck_judge(int status, int want_signal, int want_exit)
{
    if (WIFSIGNALED(status))
        return WTERMSIG(status) == want_signal ? 'P' : 'E';
    bool good = !want_signal && WEXITSTATUS(status) == want_exit;
    return good ? 'P' : ck_said->text[0] ? 'F' : 'E';
}

static inline void ck_run_one(SRunner *sr, int n, int i)
{
    const TCase *tc = sr->suite->tcase;
    const TTest *test = tc->tests[n].test;
    int status = ck_run(tc, test, i);
    char how = ck_judge(status, tc->tests[n].signal, tc->tests[n].exit);
    bool said = how == 'F';
    printf("%s:%d:%c:%s:%s:%d: ", said ? ck_said->file : test->file,
           said ? ck_said->line : test->line, how, tc->name, test->name, i);
    if (how == 'E')
        printf("ended with wait status 0x%x\n", (unsigned)status);
    else
        puts(said ? ck_said->text : "Passed");
    sr->ntests++;
    sr->nfailed += how == 'F';
    sr->nerrors += how == 'E';
}

static inline void srunner_run_all(SRunner *sr, int mode)
{
    const TCase *tc = sr->suite->tcase;
    (void)mode;
    printf("Running suite(s): %s\n", tc->name);
    for (int n = 0; n < tc->ntests; n++)
        for (int i = tc->tests[n].first; i < tc->tests[n].end; i++)
            ck_run_one(sr, n, i);
    int bad = sr->nfailed + sr->nerrors;
    printf("%d%%: Checks: %d, Failures: %d, Errors: %d\n",
           sr->ntests ? 100 * (sr->ntests - bad) / sr->ntests : 100, sr->ntests,
           sr->nfailed, sr->nerrors);
}

static inline int srunner_ntests_failed(const SRunner *sr)
{
    return sr->nfailed + sr->nerrors;
}

static inline void srunner_free(SRunner *sr)
{
    (void)sr;
}

#endif
