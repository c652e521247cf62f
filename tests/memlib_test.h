/* memlib_test.h - for the tests of memlib. */
#ifndef TESTS_MEMLIB_TEST_H
#define TESTS_MEMLIB_TEST_H

#include "config.h"
#include "memlib.h"
#include "tests/run_tests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static inline void mem_begin(void)
{
    ck_assert_int_eq(mem_init(), 0);
}

static inline char *sbrk_filled(size_t size)
{
    char *p = mem_sbrk(size);
    ck_assert_ptr_nonnull(p);
    return memset(p, 0xff, size);
}

#endif
