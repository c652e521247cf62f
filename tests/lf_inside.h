/* lf_inside.h - the lock-free stage from inside: mm.c is compiled into the
 * test, which sees its shards. */
#ifndef TESTS_LF_INSIDE_H
#define TESTS_LF_INSIDE_H

#define MM_STAGE "mm/lockfree/stage.h"
#define MM_ALLOCATOR mm_here
#include "mm.c"

#include "tests/arena_variants.h"
#include "tests/run_tests.h"

static inline void ck_sound(void)
{
    ck_assert_uint_eq(lab->check(), 0);
}

static inline void *take_block(size_t size)
{
    void *p = lab->malloc(size);
    demand(p);
    return memset(p, 'x', size);
}

static inline void *run_take_block(void *size)
{
    return take_block((size_t)(uintptr_t)size);
}

/* A block whose thread is gone by now: its shard is an orphan. */
static inline void *take_in_thread(size_t size)
{
    return in_thread(run_take_block, (void *)(uintptr_t)size);
}

static inline enum status shard_status(const struct shard *s)
{
    return status_of(state_get(s));
}

#endif
