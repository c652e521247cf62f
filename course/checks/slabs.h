/* slabs.h - the checks of lesson 4: what small blocks weigh. */
#ifndef COURSE_CHECKS_SLABS_H
#define COURSE_CHECKS_SLABS_H

#include "course/checks/speed.h"

#define SMALL 50000

static void *small[SMALL];

static inline void small_blocks_weigh_little(void)
{
    static const size_t sizes[] = {8, 16, 32, 64, 96};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        begin();
        size_t before = mem_heapsize();
        for (size_t k = 0; k < SMALL; k++)
            small[k] = get(sizes[i]);
        double each = (double)(mem_heapsize() - before) / SMALL;
        double most = 1.15 * (double)(sizes[i] < 16 ? 16 : sizes[i]);
        EXPECT(each < most,
               "%d blocks of %zu bytes take %.1f bytes each, expected at most "
               "%.1f: no head for each",
               SMALL, sizes[i], each, most);
        mm_mine.fini();
    }
}

static inline void empty_slabs_serve_large_blocks(void)
{
    unsigned state = 5;
    begin();
    for (size_t k = 0; k < SMALL; k++)
        small[k] = get(32);
    for (size_t n = SMALL; n; n--) {
        size_t k = dice(&state, (unsigned)n);
        mm_mine.free(small[k]);
        small[k] = small[n - 1];
    }
    check_heap();
    get_within(mem_heapsize() - 131072, 0,
               "all small blocks have been freed, and their slabs are empty");
}

static inline void freed_small_blocks_are_used_again(void)
{
    begin();
    for (size_t k = 0; k < SMALL; k++)
        small[k] = get(16);
    size_t before = mem_heapsize();
    for (size_t k = 0; k < SMALL; k += 2)
        mm_mine.free(small[k]);
    for (size_t k = 0; k < SMALL; k += 2)
        small[k] = get(16);
    EXPECT(mem_heapsize() == before,
           "half of %d blocks of 16 bytes were freed and allocated again: the "
           "heap has grown by %zu bytes",
           SMALL, mem_heapsize() - before);
    for (size_t k = 0; k < SMALL; k++)
        *(size_t *)small[k] = k;
    for (size_t k = 0; k < SMALL; k++)
        EXPECT(*(size_t *)small[k] == k, "two blocks of 16 bytes overlap");
}

#define LESSON_4                                                               \
    LESSON_3, {"small blocks weigh little", small_blocks_weigh_little},        \
        {"empty slabs serve large blocks", empty_slabs_serve_large_blocks},    \
    {                                                                          \
        "freed small blocks are used again", freed_small_blocks_are_used_again \
    }

#endif
