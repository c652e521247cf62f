/* speed.h - the checks of lesson 3: how long a search takes, in proportion. */
#ifndef COURSE_CHECKS_SPEED_H
#define COURSE_CHECKS_SPEED_H

#include "course/checks/heap.h"

#include <time.h>

#define HOLES_FEW 250
#define HOLES_MANY 6000 /* 24 times as many */
#define TIMES_MOST 6    /* what the time may grow by, ... */
#define COLD_MOST                                                              \
    2000 /* ... and ns a call, as more blocks are less often in the            \
            cache: to look at all would take 10 times as much */
#define ROUNDS 5
#define CALLS 20

static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Free blocks of 400 bytes, each with a wall of 200 behind it. */
static inline void make_holes(size_t n, void **walls)
{
    static void *holes[HOLES_MANY];
    begin();
    for (size_t i = 0; i < n; i++) {
        holes[i] = get(400);
        walls[i] = get(200);
    }
    get(5000);
    for (size_t i = 0; i < n; i++)
        mm_mine.free(holes[i]);
}

/* The best of several rounds: nothing that happens makes one shorter. */
static inline double search_time(size_t n)
{
    static void *walls[HOLES_MANY];
    double best = 1e18;
    make_holes(n, walls);
    for (int r = 0; r < ROUNDS; r++) {
        double start = now();
        for (int i = 0; i < CALLS; i++)
            mm_mine.free(get(4000));
        double took = now() - start;
        best = took < best ? took : best;
    }
    mm_mine.fini();
    return best;
}

/* Freeing a wall merges two free blocks, which may be anywhere in a list. */
static inline double merge_time(size_t n)
{
    static void *walls[HOLES_MANY];
    double best = 1e18;
    for (int r = 0; r < ROUNDS; r++) {
        make_holes(n, walls);
        double start = now();
        for (int i = 0; i < CALLS; i++)
            mm_mine.free(walls[2 * i]);
        double took = now() - start;
        best = took < best ? took : best;
        mm_mine.fini();
    }
    return best;
}

static inline void compare(const char *what, double few, double many)
{
    EXPECT(many < TIMES_MOST * few + CALLS * COLD_MOST,
           "%s takes %.0f ns among %d free blocks of 400 bytes, and %.0f ns "
           "among %d: it looks at each of them",
           what, few / CALLS, HOLES_FEW, many / CALLS, HOLES_MANY);
}

static inline void holes_that_do_not_fit_cost_nothing(void)
{
    double few = search_time(HOLES_FEW);
    compare("malloc(4000) and its free", few, search_time(HOLES_MANY));
}

static inline void merging_does_not_search(void)
{
    double few = merge_time(HOLES_FEW);
    compare("a free that merges", few, merge_time(HOLES_MANY));
}

static inline void a_block_that_fits_is_preferred(void)
{
    begin();
    void *large = get(9000);
    get(200);
    void *fits = get(1000);
    get(200);
    mm_mine.free(large);
    mm_mine.free(fits);
    get_within(1000, 0, "a free block of just that size is there");
    get_within(9000, 0,
               "a free block of 9000 bytes was there, and one of 1000 bytes "
               "for malloc(1000), which came before");
}

#define LESSON_3                                                               \
    LESSON_2,                                                                  \
        {"blocks that are too small cost no time",                             \
         holes_that_do_not_fit_cost_nothing},                                  \
        {"a free that merges does not search", merging_does_not_search},       \
    {                                                                          \
        "a block that just fits is preferred", a_block_that_fits_is_preferred  \
    }

#endif
