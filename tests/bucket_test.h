/* bucket_test.h - for the tests of bucket from inside. */
#ifndef TESTS_BUCKET_TEST_H
#define TESTS_BUCKET_TEST_H

#include "designs/bucket.c"

#include "tests/check_said.h"
#include "tests/run_tests.h"

#include <stdio.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static inline void set_up(void)
{
    unsetenv("MM_BUCKET_CHUNK");
    unsetenv("MM_BUCKET_CLASSES");
    ck_assert_int_eq(mm_bucket.init(), 0);
}

static inline int restart(const struct mm_allocator *a)
{
    mm_bucket.fini();
    return a->init();
}

static inline void *take(size_t size)
{
    void *p = mm_bucket.malloc(size);
    ck_assert_ptr_nonnull(p);
    return p;
}

static inline struct heap *heap(void)
{
    return &((struct member *)owner_mine())->heap;
}

static inline void ck_healthy(void)
{
    ck_assert_msg(check_and_listen(&mm_bucket) == 0, "%s", said);
}

#endif
