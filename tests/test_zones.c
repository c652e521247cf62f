/* test_zones.c - a heap of several zones (memlib.h), which have 128 MiB here:
 * a thread whose arena is full goes on with another, what it left is used
 * again, and the last zone is the end. */
#include "config.h"
#include "memlib.h"

#include "tests/arena_variants.h"

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#define SOME 60000 /* blocks of up to 12 KiB: 360 MB */
#define LARGE ((size_t)1 << 20)
#define NTHREADS 4
#define RING 512

/* A fixed array of arenas has no further ones. */
static bool has_more(void)
{
    return lab != &mm_arena_favorite;
}

static size_t zones(void)
{
    return (size_t)(mem_zone(mem_brk()) - mem_range.base) / MEM_ZONE + 1;
}

static size_t size_of(size_t i)
{
    return i % 5 ? 16 + i % 900 : 10000 + i % 2000;
}

/* The first and the last word say which block it is. */
static void *take(size_t i)
{
    size_t size = size_of(i) / 16 * 16;
    size_t *p = lab->malloc(size);
    demand(p != NULL);
    p[0] = i;
    p[size / sizeof *p - 1] = ~i;
    return p;
}

static void give(void *block, size_t i)
{
    const size_t *p = block;
    demand(p[0] == i && p[size_of(i) / 16 * 2 - 1] == ~i);
    lab->free(block);
}

static void *blocks[4 * SOME];

static void take_all(size_t n)
{
    for (size_t i = 0; i < n; i++)
        blocks[i] = take(i);
}

static void *give_all(void *n)
{
    for (size_t i = 0; i < (size_t)(uintptr_t)n; i++)
        give(blocks[i], i);
    return NULL;
}

static void give_in_thread(size_t n)
{
    in_thread(give_all, (void *)(uintptr_t)n);
}

/* What is free in other zones serves, too; stage two looks for it less. */
static size_t allowed(size_t most)
{
    return most + most / (lab == &mm_per_thread ? 2 : 4);
}

#define MANY (3 * SOME) /* blocks, for three zones */

/* @return bytes of a heap with many blocks; 0: the stage has one zone only */
static size_t begin_with_many(int variant)
{
    lab_begin(variant);
    if (!has_more())
        return 0;
    take_all(MANY);
    ck_assert_uint_ge(zones(), 3);
    return mem_heapsize();
}

START_TEST(a_thread_goes_through_zones_and_back)
{
    size_t most = begin_with_many(_i);
    if (!most)
        return;
    ck_assert_uint_eq(lab->check(), 0);
    for (size_t i = 0; i < MANY; i += 2) { /* half, to fill the gaps again */
        give(blocks[i], i);
        blocks[i] = NULL;
    }
    ck_assert_uint_eq(lab->check(), 0);
    for (size_t i = 0; i < MANY; i += 2)
        blocks[i] = take(i);
    ck_assert_uint_le(mem_peak(), allowed(most));
    give_all((void *)(uintptr_t)MANY);
    take_all(MANY);
    ck_assert_uint_le(mem_peak(), allowed(most));
    give_all((void *)(uintptr_t)MANY);
    lab_end();
}
END_TEST

START_TEST(what_others_free_in_zones_is_used_again)
{
    size_t most = begin_with_many(_i);
    if (!most)
        return;
    for (int left = SANITIZED ? 1 : 3; left > 0; left--) {
        give_in_thread(MANY);
        take_all(MANY);
    }
    ck_assert_uint_le(mem_peak(), allowed(most));
    give_in_thread(MANY);
    lab_end();
}
END_TEST

struct work {
    uint64_t random;
    size_t n;
    void **own;
};

static _Atomic uintptr_t ring[RING]; /* a block, for who comes by */

static size_t block_index(const void *p)
{
    return *(const size_t *)p;
}

static void pass_on(uint64_t random, void *p)
{
    uintptr_t other = atomic_exchange(&ring[random % RING], (uintptr_t)p);
    if (other)
        give((void *)other, block_index((void *)other));
}

/* Grow to so many blocks, exchanging some; then free all. */
static void *work(void *arg)
{
    struct work *w = arg;
    for (size_t i = 0; i < w->n; i++) {
        uint64_t random = next_random(&w->random);
        w->own[i] = take(random % 100000);
        if (random >> 40 & 1)
            pass_on(random >> 41, take(random >> 20 & 0xffff));
        if (i && random >> 60 == 0) {
            give(w->own[i - 1], block_index(w->own[i - 1]));
            w->own[i - 1] = take(i);
        }
    }
    for (size_t i = 0; i < w->n; i++)
        give(w->own[i], block_index(w->own[i]));
    return NULL;
}

static void work_all(size_t n)
{
    struct work w[NTHREADS];
    pthread_t threads[NTHREADS];
    for (size_t i = 0; i < NTHREADS; i++) {
        w[i] = (struct work){i + n, n, &blocks[i * SOME]};
        threads[i] = thread_start(work, &w[i]);
    }
    for (size_t i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
}

START_TEST(threads_go_through_zones_at_once)
{
    lab_begin(_i);
    if (!has_more())
        return;
    for (int left = SANITIZED ? 2 : 3; left > 0; left--) {
        work_all(SANITIZED ? SOME / 3 : SOME / 2);
        ck_assert_uint_eq(lab->check(), 0);
    }
    ck_assert_uint_ge(zones(), 2);
    for (size_t i = 0; i < RING; i++)
        pass_on(i, NULL);
    lab_end();
}
END_TEST

/* Blocks that nobody touches, to the end. @return how many */
static size_t fill(void)
{
    size_t n = 0;
    while ((blocks[n] = lab->malloc(LARGE)))
        n++;
    return n;
}

START_TEST(the_last_zone_is_the_end)
{
    lab_begin(_i);
    errno = 0;
    size_t n = fill();
    ck_assert_int_eq(errno, ENOMEM);
    size_t least = has_more() ? mem_range.size / 10 * 8 : MEM_ZONE / 10 * 8;
    ck_assert_uint_ge(n * LARGE, least);
    ck_assert_uint_eq(lab->check(), 0);
    for (size_t i = 0; i < n; i++)
        lab->free(blocks[i]);
    size_t again = fill();
    ck_assert_uint_ge(again, n - n / 16);
    for (size_t i = 0; i < again; i++)
        lab->free(blocks[i]);
    take_all(SOME / 10);
    give_all((void *)(uintptr_t)(SOME / 10));
    lab_end();
}
END_TEST

/* The block may not move to another zone half way. */
START_TEST(a_block_grows_and_moves_between_zones)
{
    lab_begin(_i);
    if (!has_more())
        return;
    size_t n = 0;
    char *p = memset(lab->malloc(100), 'x', 100);
    for (size_t size = 100; zones() < 3; n++) {
        blocks[n] = lab->malloc(LARGE);
        ck_assert_ptr_nonnull(blocks[n]);
        size = size < 3 * LARGE ? size + size / 4 : 100;
        p = lab->realloc(p, size);
        ck_assert_ptr_nonnull(p);
        for (int i = 0; i < 100; i++)
            ck_assert_int_eq(p[i], 'x');
    }
    ck_assert_uint_eq(lab->check(), 0);
    lab->free(p);
    while (n--)
        lab->free(blocks[n]);
    lab_end();
}
END_TEST

/* The arena that its threads left is nobody's in a child of fork. */
START_TEST(a_child_goes_on_in_its_zone)
{
    lab_begin(_i);
    if (!has_more() || SANITIZED)
        return;
    size_t n = 0;
    while (zones() < 3) {
        blocks[n] = lab->malloc(LARGE);
        ck_assert_ptr_nonnull(blocks[n]);
        n++;
    }
    pid_t child = fork();
    if (child == 0) {
        while (zones() < 5)
            demand(lab->malloc(LARGE) != NULL);
        while (n--)
            lab->free(blocks[n]);
        _exit(lab->check() != 0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(zones(), 3);
    while (n--)
        lab->free(blocks[n]);
    lab_end();
}
END_TEST

/* One heap for all has one zone. */
START_TEST(one_heap_ends_with_its_zone)
{
    if (_i)
        return;
    lab = &mm_global;
    ck_assert_int_eq(lab->init(), 0);
    size_t n = fill();
    ck_assert_uint_ge(n * LARGE, MEM_ZONE / 10 * 8);
    ck_assert_uint_lt(n * LARGE, MEM_ZONE);
    while (n)
        lab->free(blocks[--n]);
    take_all(SOME / 10);
    give_all((void *)(uintptr_t)(SOME / 10));
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_thread_goes_through_zones_and_back,
                                  what_others_free_in_zones_is_used_again,
                                  threads_go_through_zones_at_once,
                                  the_last_zone_is_the_end,
                                  a_block_grows_and_moves_between_zones,
                                  a_child_goes_on_in_its_zone,
                                  one_heap_ends_with_its_zone,
                                  NULL};
    return run_variants("zones", tests);
}
