/* fit_cas_test.h - for the tests of fit-cas from inside. */
#ifndef TESTS_FIT_CAS_TEST_H
#define TESTS_FIT_CAS_TEST_H

#include "designs/fit_cas.c"

#include "tests/check_said.h"
#include "tests/run_tests.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static const struct mm_allocator *const mm = &mm_fit_cas;

static inline void set_up(void)
{
    ck_assert_int_eq(mm->init(), 0);
}

static inline void *take_block(size_t size)
{
    void *p = mm->malloc(size);
    if (!p)
        ck_abort_msg("malloc(%zu)", size);
    return p;
}

static inline void ck_healthy(void)
{
    ck_assert_msg(check_and_listen(mm) == 0, "%s", said);
}

#endif
