/* heap.h - the checks of lessons 1 to 4: what an allocator does alone. Each
 * lesson's check has those of the lessons before, too. */
#ifndef COURSE_CHECKS_HEAP_H
#define COURSE_CHECKS_HEAP_H

#include "course/checks/check.h"
#include "memlib.h"
#include "mm.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

extern const struct mm_allocator mm_mine;

static inline void begin(void)
{
    EXPECT(mm_mine.init() == 0, "init returns an error");
}

static inline void *get(size_t size)
{
    void *p = mm_mine.malloc(size);
    EXPECT(p, "malloc(%zu) returns NULL", size);
    EXPECT((uintptr_t)p % 16 == 0, "malloc(%zu) returns %p: not 16-aligned",
           size, p);
    EXPECT(mem_contains(p, size), "malloc(%zu) returns %p: not in the heap",
           size, p);
    return p;
}

/* Calls get(size), for which the heap must not grow by more than that. */
static inline void *get_within(size_t size, size_t growth, const char *where)
{
    size_t before = mem_heapsize();
    void *p = get(size);
    size_t after = mem_heapsize();
    EXPECT(after - before <= growth,
           "malloc(%zu) makes the heap grow by %zu bytes, expected at most "
           "%zu: %s",
           size, after - before, growth, where);
    return p;
}

static inline void check_heap(void)
{
    if (mm_mine.check)
        EXPECT(mm_mine.check() == 0, "the allocator's own check complains");
}

/* ---- lesson 1 -------------------------------------------------------- */

/* A simple generator: the same numbers on any machine. */
static inline unsigned dice(unsigned *state, unsigned below)
{
    *state = *state * 1664525u + 1013904223u;
    return (*state >> 8) % below;
}

struct live {
    unsigned char *p;
    size_t size;
    unsigned char mark;
};

static inline void see(const struct live *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        EXPECT(b->p[i] == b->mark,
               "byte %zu of a live block of %zu bytes has changed: another "
               "block lies there, or a head",
               i, b->size);
}

static inline void put(struct live *b, void *p, size_t size, unsigned *state)
{
    EXPECT(p, "there is no block of %zu bytes", size);
    *b = (struct live){p, size, (unsigned char)dice(state, 256)};
    memset(p, b->mark, size);
}

/* Frees, resizes or makes b, which is looked at before. */
static inline void random_step(struct live *b, unsigned *state, unsigned most)
{
    unsigned action = dice(state, 8);
    size_t size = 1 + dice(state, 1 + dice(state, most)), old = b->size;
    see(b, old);
    if (!b->p) {
        void *p = action == 5 ? mm_mine.memalign(256, size) : get(size);
        EXPECT(action != 5 || (uintptr_t)p % 256 == 0,
               "memalign(256, %zu) returns %p", size, p);
        put(b, p, size, state);
    } else if (action < 3) {
        mm_mine.free(b->p);
        *b = (struct live){0};
    } else if (action < 5) {
        b->p = mm_mine.realloc(b->p, size);
        EXPECT(b->p, "realloc to %zu bytes returns NULL", size);
        see(b, old < size ? old : size);
        put(b, b->p, size, state);
    }
}

static inline void blocks_keep_their_bytes(void)
{
    static struct live blocks[200];
    unsigned state = 7;
    begin();
    for (int i = 0; i < 20000; i++)
        random_step(&blocks[dice(&state, COUNT(blocks))], &state, 3000);
    check_heap();
    for (size_t i = 0; i < COUNT(blocks); i++) {
        see(&blocks[i], blocks[i].size);
        mm_mine.free(blocks[i].p);
    }
    check_heap();
}

static inline void odd_requests(void)
{
    begin();
    char *a = get(0), *b = get(0);
    EXPECT(a != b, "malloc(0) returns the same place twice");
    errno = 0;
    EXPECT(!mm_mine.malloc(SIZE_MAX - 64) && errno == ENOMEM,
           "malloc(SIZE_MAX - 64): expected NULL and ENOMEM");
    EXPECT(!mm_mine.calloc(SIZE_MAX / 8, 16),
           "calloc(SIZE_MAX / 8, 16) returns a block");
    mm_mine.free(NULL);
    char *p = get(500);
    memset(p, 1, 500);
    mm_mine.free(p);
    p = mm_mine.calloc(5, 100);
    EXPECT(p, "calloc(5, 100) returns NULL");
    for (int i = 0; i < 500; i++)
        EXPECT(!p[i], "byte %d of calloc(5, 100) is not zero", i);
    EXPECT(mm_mine.usable_size(p) >= 500, "usable_size(p) of 500 bytes is %zu",
           mm_mine.usable_size(p));
}

static inline void a_freed_block_is_used_again(void)
{
    begin();
    void *p = get(1000);
    get(200);
    mm_mine.free(p);
    get_within(1000, 0, "a free block of that size is there");
}

static inline void a_large_free_block_serves_several(void)
{
    begin();
    void *p = get(4000);
    get(200);
    mm_mine.free(p);
    char *a = get_within(1200, 0, "a free block of 4000 bytes is there");
    char *b = get_within(1200, 0, "the rest of the free block was 2800 bytes");
    char *c = get_within(1200, 0, "the rest of the free block was 1600 bytes");
    EXPECT(a + 1200 <= b || b + 1200 <= a, "two parts of a block overlap");
    EXPECT(b + 1200 <= c || c + 1200 <= b, "two parts of a block overlap");
}

#define LESSON_1                                                               \
    {"blocks are aligned, apart, and keep their bytes",                        \
     blocks_keep_their_bytes},                                                 \
        {"requests of nothing and of too much", odd_requests},                 \
        {"a freed block is used again", a_freed_block_is_used_again},          \
    {                                                                          \
        "a large free block serves several requests",                          \
            a_large_free_block_serves_several                                  \
    }

/* ---- lesson 2 -------------------------------------------------------- */

static inline void neighbours_become_one(void)
{
    static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                     {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    char where[120];
    for (size_t i = 0; i < COUNT(orders); i++) {
        begin();
        void *three[] = {get(1000), get(1000), get(1000)};
        get(200);
        for (int k = 0; k < 3; k++) {
            mm_mine.free(three[orders[i][k]]);
            check_heap();
        }
        snprintf(where, sizeof where,
                 "three neighbours of 1000 were freed in the order %d, %d, %d",
                 orders[i][0] + 1, orders[i][1] + 1, orders[i][2] + 1);
        get_within(3000, 0, where);
        mm_mine.fini();
    }
}

static inline void the_last_block_grows(void)
{
    begin();
    get(200);
    mm_mine.free(get(100000));
    get_within(150000, 50100, "the last block is free and has 100000 bytes");
}

static inline void what_is_all_free_is_one_block(void)
{
    static void *blocks[1000];
    unsigned state = 3;
    begin();
    for (size_t i = 0; i < COUNT(blocks); i++)
        blocks[i] = get(200 + dice(&state, 900));
    for (size_t n = COUNT(blocks); n; n--) {
        size_t k = dice(&state, (unsigned)n);
        mm_mine.free(blocks[k]);
        blocks[k] = blocks[n - 1];
    }
    check_heap();
    get_within(mem_heapsize() - 256, 0, "every block has been freed");
}

#define LESSON_2                                                               \
    LESSON_1,                                                                  \
        {"free neighbours become one block, in any order",                     \
         neighbours_become_one},                                               \
        {"the last block grows by what it lacks", the_last_block_grows},       \
    {                                                                          \
        "when all is free, all is one block", what_is_all_free_is_one_block    \
    }

#endif
