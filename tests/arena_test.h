/* arena_test.h - the arena stage from inside: mm.c is compiled into the test,
 * which sees its shards. Variants and limits: macros defined before this. */
#ifndef TESTS_ARENA_TEST_H
#define TESTS_ARENA_TEST_H

#define MM_STAGE "mm/arena/stage.h"
#define MM_ALLOCATOR mm_here
#include "mm.c"

#include "tests/arena_variants.h"
#include "tests/run_tests.h"

/* A10: only shard_grow and stage_resize let a heap grow, and not for long. */
static inline void ck_fixed(void)
{
    for (uint32_t i = 0; i < shard_count(); i++)
        ck_assert_msg(!shard_at(i)->arena.heap.may_grow, "shard %u may grow",
                      i);
}

static inline void ck_sound(void)
{
    ck_assert_uint_eq(lab->check(), 0);
    ck_fixed();
}

static inline void *take(size_t size)
{
    void *p = lab->malloc(size);
    ck_assert_ptr_nonnull(p);
    return memset(p, 'x', size);
}

/* The size in *size is replaced by a block of so many bytes. */
static inline void *run_take_block(void *size)
{
    return take((size_t)(uintptr_t)size);
}

/* A block that a thread made that is gone by now. */
static inline void *take_in_thread(size_t size)
{
    return in_thread(run_take_block, (void *)(uintptr_t)size);
}

/* Where p lies: the shard that its owner's id leads to. */
static inline const struct shard *shard_of(const void *p)
{
    return owner_of(p);
}

/* Take an orphan in, or go to it. @return false: there was none */
static inline bool adopt_one(void)
{
    struct shard *s = shard_enter(), *to = shard_relieve(s, NEVER_RICH);
    shard_exit(to ? to : s);
    return to != NULL;
}

/* Nothing waits with this thread any more, nor for it. */
static inline void flush_own(void)
{
    struct shard *s = shard_enter();
    cache_flush(s);
    shard_free_inbox(s, s);
    shard_exit(s);
}

/* Ids of shards that are merged into others. */
static inline uint32_t nmerged(void)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < shard_count(); i++)
        n += owner_at(i) != shard_at(i);
    return n;
}

static inline uint32_t norphans(void)
{
    return atomic_load(&registry.norphans);
}

static inline int run_here(const char *name, const TTest *const *tests)
{
    return run_tests(name, here_begin, tests);
}

#endif
