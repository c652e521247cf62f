/* arena_variants.h - the stages with arenas for threads, as a program sees
 * them, threads for them, and the main of a test that runs each in turn. */
#ifndef TESTS_ARENA_VARIANTS_H
#define TESTS_ARENA_VARIANTS_H

#include "mm.h"

#include "tests/run_tests.h"
#include "tests/sanitized.h"
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct mm_allocator *const variants[] = {
    &mm_per_thread, &mm_arena, &mm_arena_favorite, &mm_lockfree};

#define NVARIANTS (int)(sizeof variants / sizeof variants[0])

/* The one under test: each test runs in a process of its own. */
static const struct mm_allocator *lab;

/* ck_assert for the inside of loops: nothing is written while it holds. */
#define demand(holds)                                                          \
    do {                                                                       \
        if (!(holds))                                                          \
            ck_abort_msg("not so: %s", #holds);                                \
    } while (0)

static inline void lab_begin(int variant)
{
    lab = variants[variant];
    ck_assert_int_eq(lab->init(), 0);
}

/* The stage from inside: its test has compiled mm.c with this name. */
extern const struct mm_allocator mm_here;

static inline void here_begin(void)
{
    lab = &mm_here;
    ck_assert_int_eq(lab->init(), 0);
}

static inline void lab_end(void)
{
    ck_assert_uint_eq(lab->check(), 0);
    lab->fini();
}

/* A thread that comes, does one thing and goes. */
static inline void *in_thread(void *(*run)(void *), void *arg)
{
    return thread_wait(thread_start(run, arg));
}

/* A number that depends on *state and is not easily guessed (Vigna, 2015). */
static inline uint64_t next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Each test once for each variant, which it gets as _i. */
static inline int run_variants(const char *name, const TTest *const *tests)
{
    Suite *suite = suite_create(name);
    TCase *tc = tcase_create(name);
    for (; *tests; tests++)
        tcase_add_loop_test(tc, *tests, 0, NVARIANTS);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}

#endif
