/* test_designs_large.c - blocks that are too large for a design's own, in each
 * design: mappings, which are known by a table and kept for the next. */
#include "config.h"
#include "tests/designs_test.h"

#include "tests/misuse.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define LARGE (2 * HUGE_OVER)
#define PAGES(bytes) ((bytes) / 4096)

/* Else each would cost two system calls and a fault for each page. */
START_TEST(a_block_that_is_freed_and_allocated_in_turn_keeps_its_pages)
{
    size_t first_code = emulated() ? 500 : 0; /* faults: see tests/limits.h */
    begin(_i);
    for (size_t size = 200 * KIB; size <= LARGE; size += LARGE - 200 * KIB) {
        size_t first = faults();
        for (int i = 0; i < 100; i++)
            mm->free(take(size, i));
        if (!SANITIZED)
            ck_assert_uint_lt(faults() - first, PAGES(3 * size) + first_code);
        ck_healthy();
    }
    size_t before = process_bytes("RssAnon");
    mm->trim();
    if (!SANITIZED)
        demand(process_bytes("RssAnon") + LARGE - MIB < before);
    ck_healthy();
}
END_TEST

START_TEST(large_blocks_are_known_from_end_to_end)
{
    begin(_i);
    char *p = take(LARGE + 1, 'p');
    size_t usable = mm->usable_size(p);
    demand(mm->contains(p, usable) && !mm->contains(p, usable + 1));
    demand(mm->contains(p + LARGE, 1) && !mm->contains(p - 1, 2));
    demand(stats_now().nmapped == 1 && stats_now().mapped == usable);
    mm->free(p);
    demand(!mm->contains(p, 1) && stats_now().mapped == 0);
    ck_healthy();
}
END_TEST

START_TEST(what_grows_by_steps_is_not_copied)
{
    enum { STEPS = 60 };
    size_t bound = PAGES((emulated() ? 3 : 2) * (STEPS + 10) * MIB);
    begin(_i);
    char *p[2] = {take(LARGE, 0), take(LARGE, 0)};
    size_t first = faults();
    for (size_t n = 1; n <= STEPS; n++)
        for (int i = 0; i < 2; i++) {
            p[i] = mm->realloc(p[i], LARGE + n * MIB);
            demand(p[i]);
            memset(p[i] + LARGE + (n - 1) * MIB, (int)n, MIB);
        }
    if (!SANITIZED)
        ck_assert_uint_lt(faults() - first, bound);
    for (size_t n = 1; n <= STEPS; n++)
        demand_filled(p[1] + LARGE + (n - 1) * MIB, MIB, (char)n);
    ck_healthy();
}
END_TEST

/* ---- what is no such block ------------------------------------------- */

START_TEST(what_is_no_large_block_gets_a_line_and_no_raw_fault)
{
    begin(_i);
    char *p = take(LARGE, 'p'), *gone = take(LARGE, 'g');
    mm->free(gone);
    ck_dies(give_twice, p, "double free of a large block");
    ck_dies(give, gone, "double free of a large block");
    ck_dies(resize, gone, "realloc of a large block that is free");
    ck_dies(measure, gone, "size of a large block that is free");
    char *wild[] = {p + 16,
                    p + 4096,
                    p + HUGE_OVER,
                    p - 4096,
                    (char *)(UINTPTR_MAX - 4095),
                    (char *)((uintptr_t)1 << 46),
                    (char *)4096};
    for (size_t i = 0; i < sizeof wild / sizeof *wild; i++) {
        ck_dies(give, wild[i], "not a live block");
        ck_dies(resize, wild[i], "not a live block");
        ck_dies(measure, wild[i], "not a live block");
    }
    demand_filled(p, LARGE, 'p');
}
END_TEST

/* ---- threads ----------------------------------------------------------- */

enum { CREW = 4, TURNS = SANITIZED ? 30 : 300, PLACES = 6 };

static _Atomic(char *) places[PLACES];

static char *swap(size_t i, char *p)
{
    return atomic_exchange_explicit(&places[i % PLACES], p,
                                    memory_order_acq_rel);
}

/* Each takes what another left, grows or shrinks it, and leaves it to a third.
 * Sizes are on both sides of the border. */
static void *hand_over(void *arg)
{
    uintptr_t seed = (uintptr_t)arg;
    for (unsigned i = 0; i < TURNS; i++) {
        seed = seed * 6364136223846793005 + 1442695040888963407;
        size_t size = HUGE_OVER - MIB + (seed >> 40) % (4 * MIB);
        char *p = swap(i, NULL);
        bool had = p;
        if (seed >> 60 < 4) {
            mm->free(p);
            continue;
        }
        p = mm->realloc(p, size);
        demand(p);
        if (had)
            demand(p[0] == 'h');
        p[0] = p[size - 1] = 'h';
        mm->free(swap(seed >> 33, p));
    }
    return NULL;
}

START_TEST(threads_hand_large_blocks_over_and_lose_none)
{
    pthread_t team[CREW];
    begin(_i);
    for (uintptr_t i = 0; i < CREW; i++)
        team[i] = thread_start(hand_over, (void *)(i + 1));
    for (int i = 0; i < CREW; i++)
        thread_wait(team[i]);
    ck_healthy();
    for (size_t i = 0; i < PLACES; i++)
        mm->free(swap(i, NULL));
    demand(stats_now().mapped == 0 && stats_now().nmapped == 0);
    ck_healthy();
    mm->fini();
    ck_assert_uint_eq(mem_heapsize(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_block_that_is_freed_and_allocated_in_turn_keeps_its_pages,
        large_blocks_are_known_from_end_to_end,
        what_grows_by_steps_is_not_copied,
        what_is_no_large_block_gets_a_line_and_no_raw_fault,
        threads_hand_large_blocks_over_and_lose_none,
        NULL};
    return run_design_tests("designs-large", tests);
}
