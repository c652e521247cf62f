/* heap_test.h - for the tests of the engine: an arena over memlib, and what the
 * checks say of it on stderr. */
#ifndef TESTS_HEAP_TEST_H
#define TESTS_HEAP_TEST_H

#include "mm/engine/arena.h"
#include "mm/engine/check.h"
#include "tests/run_tests.h"

#include <stdio.h>

static struct arena arena;
static struct heap *const heap = &arena.heap;

static char said[1 << 14]; /* by the last arena_check */

static inline void arena_begin(void)
{
    ck_assert_int_eq(mem_init(), 0);
    mem_reset();
    arena_init(&arena, 0);
}

/* No stage is here: the arena is all there is of a shard. */
static inline struct shard *the_owner(const void *p)
{
    return payload_owner(p) == heap->owner ? (struct shard *)&arena : NULL;
}

/* @return how many invariants are broken; the lines about them are in said */
static inline size_t arena_check(void)
{
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    int keep = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    size_t bad = arena_check_owned(&arena, the_owner, (struct shard *)&arena,
                                   "owner is the arena's");
    dup2(keep, STDERR_FILENO);
    close(keep);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = '\0';
    fclose(log);
    return bad;
}

static inline void ck_healthy(void)
{
    size_t bad = arena_check();
    ck_assert_msg(bad == 0, "%zu invariants are broken: %s", bad, said);
}

/* A payload of size bytes, filled with byte c. */
static inline void *take(size_t size, char c)
{
    void *p = arena_malloc(&arena, size);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq((uintptr_t)p % ALIGN, 0);
    return memset(p, c, size);
}

static inline void give_back(void *p)
{
    arena_free(&arena, p);
}

static inline void ck_filled(const void *p, size_t size, char c)
{
    const char *s = p;
    for (size_t i = 0; i < size; i++)
        if (s[i] != c)
            ck_abort_msg("byte %zu is %d, expected %d", i, s[i], c);
}

static inline size_t payload_size(const void *p)
{
    return block_size(payload_block(p));
}

/* Free blocks of the heap, the victim included. */
static inline size_t free_blocks(void)
{
    size_t n = 0;
    uint32_t link = heap->regions;
    for (const struct region *r; link; link = r->next) {
        r = heap_region(heap, link);
        const struct block *b = (const struct block *)(r + 1);
        for (; !block_is_end(b); b = block_next(b))
            n += !block_used(b);
    }
    return n;
}

static inline size_t regions(void)
{
    size_t n = 0;
    for (uint32_t link = heap->regions; link; n++)
        link = heap_region(heap, link)->next;
    return n;
}

static inline int run_heap_tests(const char *name, const TTest *const *tests)
{
    return run_tests(name, arena_begin, tests);
}

#endif
