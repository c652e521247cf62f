/* test_heap_random.c - random operations on one arena, alone and with others
 * who take memory in between; when all is freed, all has merged. */
#include "tests/heap_test.h"

#include "tests/limits.h"
#include "tests/model.h"

#define NSEEDS (SANITIZED ? 1 : 6)
#define NOPS 1500
#define OTHERS_EVERY 50 /* calls of malloc between others' growth */

static bool others; /* take the break now and then */

static void *engine_malloc(size_t size)
{
    static size_t calls;
    if (others && ++calls % OTHERS_EVERY == 0)
        ck_assert_ptr_nonnull(mem_sbrk(64));
    return arena_malloc(&arena, size);
}

static void engine_free(void *p)
{
    arena_free(&arena, p);
}

static void *engine_calloc(size_t n, size_t size)
{
    void *p = engine_malloc(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static void *engine_realloc(void *p, size_t size)
{
    void *q = arena_resize(&arena, p, size);
    if (q || !(q = engine_malloc(size)))
        return q;
    memcpy(q, p, min_size(arena_usable(p), size));
    arena_free(&arena, p);
    return q;
}

static void *engine_memalign(size_t align, size_t size)
{
    return arena_memalign(&arena, align, size);
}

static size_t engine_check(void)
{
    size_t bad = arena_check();
    fputs(said, stderr);
    return bad;
}

static const struct mm_allocator engine = {.name = "engine",
                                           .malloc = engine_malloc,
                                           .free = engine_free,
                                           .realloc = engine_realloc,
                                           .calloc = engine_calloc,
                                           .memalign = engine_memalign,
                                           .usable_size = arena_usable,
                                           .check = engine_check,
                                           .contains = mem_contains};

/* Give back the empty slab that each class may keep: one, of which no block is
 * out. */
static void release_empty_slabs(void)
{
    for (unsigned c = 1; c <= SLAB_CLASSES; c++) {
        ck_assert_uint_le(arena.slabs.nslabs[c], 1);
        ck_assert_uint_eq(arena.slabs.first[c], arena.slabs.last[c]);
        if (arena.slabs.nslabs[c])
            ck_assert_uint_eq(slab_at(arena.slabs.first[c])->room, 0);
    }
    slabs_trim(heap, &arena.slabs);
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        ck_assert_uint_eq(arena.slabs.nslabs[c] + arena.slabs.first[c], 0);
    for (unsigned i = 0; i < NLIVE; i++)
        ck_assert_uint_eq(arena.live[i], 0);
}

static void ck_all_merged(void)
{
    release_empty_slabs();
    ck_healthy();
    ck_assert_uint_eq(free_blocks(), regions());
    for (uint32_t link = heap->regions; link;) {
        const struct region *r = heap_region(heap, link);
        const struct block *b = (const struct block *)(r + 1);
        ck_assert(!block_used(b) && block_is_end(block_next(b)));
        link = r->next;
    }
}

static void ck_random(void)
{
    for (uint64_t seed = 1; seed <= NSEEDS; seed++) {
        arena_begin();
        arena.all_earn = seed % 2;
        model_run(&engine, seed, NOPS);
        model_end();
        ck_all_merged();
    }
}

START_TEST(a_heap_that_grows_alone_is_one_free_block_in_the_end)
{
    ck_random();
    ck_assert_uint_eq(regions(), 1);
}
END_TEST

START_TEST(a_heap_among_others_is_one_free_block_a_region_in_the_end)
{
    others = true;
    ck_random();
    ck_assert_uint_gt(regions(), 1);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_heap_that_grows_alone_is_one_free_block_in_the_end,
        a_heap_among_others_is_one_free_block_a_region_in_the_end, NULL};
    return run_heap_tests("heap-random", tests);
}
