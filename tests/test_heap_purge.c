/* test_heap_purge.c - the engine: pages of free blocks go back to the system,
 * and are counted right. */
#include "tests/heap_test.h"

#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

static size_t resident_bytes(const void *p, size_t size)
{
    enum { UNTOLD = 0xff };
    static unsigned char pages[1 << 12];
    uintptr_t first = (uintptr_t)p & ~(mem_pagesize() - 1);
    size_t bytes = (uintptr_t)p + size - first, all = 0, n = 0;
    bytes -= bytes % mem_pagesize();
    ck_assert_uint_le(bytes / 4096, sizeof pages);
    memset(pages, UNTOLD, sizeof pages);
    ck_assert_int_eq(mincore((void *)first, bytes, pages), 0);
    for (; all < sizeof pages && pages[all] != UNTOLD; all++)
        n += pages[all] & 1;
    return n * (bytes / all); /* qemu's pages are not those of its program */
}

static struct block *block(size_t size)
{
    return payload_block(take(size, 'x'));
}

/* With a first block, which takes what a new heap puts aside for small ones. */
static void begin(void)
{
    arena_begin();
    block(100);
}

START_TEST(purge_counts_each_dirty_block_once)
{
    struct block *b[3];
    for (int i = 0; i < 3; i++)
        b[i] = block(MIB);
    block(100);
    size_t size = block_size(b[0]);
    give_back(block_payload(b[0]));
    give_back(block_payload(b[2]));
    ck_assert_uint_eq(heap->dirty, 2 * size);
    ck_assert_uint_ge(heap_purge(heap), 2 * (size - 2 * mem_pagesize()));
    ck_assert_uint_eq(heap->dirty, 0);
    ck_assert_uint_eq(heap_purge(heap), 0);
    ck_healthy();
    give_back(block_payload(b[1])); /* merges with two purged blocks */
    ck_assert_uint_eq(heap->dirty, size);
    ck_healthy();
}
END_TEST

START_TEST(what_is_taken_again_after_a_purge_slows_time)
{
    struct block *b = block(4 * MIB);
    block(100);
    give_back(block_payload(b));
    heap_purge(heap);
    heap_note_taken(heap);
    ck_assert(pace_end_period(4 * MIB));
    ck_assert_uint_eq(pace_slowness(), 1);
    block(3 * MIB);
    heap_note_taken(heap);
    pace_end_period(4 * MIB);
    ck_assert_uint_eq(pace_slowness(), 5);
    heap_note_taken(heap); /* once */
    unsigned ended = 0, periods = 0;
    for (; pace_slowness() > 1; periods++)
        ended += pace_end_period(4 * MIB);
    ck_assert_uint_le(periods, 4 * PACE_PERIODS);
    ck_assert_uint_lt(ended, periods / 2);
    ck_healthy();
}
END_TEST

START_TEST(a_free_beside_a_purged_block_makes_only_its_own_bytes_dirty)
{
    struct block *b = block(4 * MIB);
    block(100);
    give_back(block_payload(b));
    heap_purge(heap);
    size_t resident = heap_resident(heap);
    for (size_t i = 1; i <= 10; i++) {
        give_back(block_payload(block(5016))); /* cut from its high end */
        ck_assert_uint_eq(heap->dirty, i * 5024);
        ck_assert_uint_eq(heap_resident(heap) - resident, heap->dirty);
    }
    ck_healthy();
    b = block(4 * MIB); /* the rest becomes resident, too */
    ck_assert_uint_eq(heap_resident(heap) - resident, block_size(b));
    ck_healthy();
}
END_TEST

START_TEST(what_is_left_of_a_purged_block_stays_purged)
{
    struct block *b = block(4 * MIB);
    block(100);
    give_back(block_payload(b));
    heap_purge(heap);
    block(MIB); /* from the high end */
    ck_assert_uint_eq(heap->dirty, 0);
    ck_assert_uint_eq(block_dirty(b, block_size(b)), 0);
    ck_healthy();
    struct block *small = block(900); /* from the low end: a victim */
    ck_assert_ptr_eq(small, b);
    ck_healthy();
    give_back(block_payload(small));
    ck_healthy();
}
END_TEST

START_TEST(growth_purges_when_more_is_in_use_than_before)
{
    struct block *b = block(8 * MIB), *wall = block(MIB);
    give_back(block_payload(b));
    struct block *top = block(9 * MIB); /* does not fit: 10 MiB are in use */
    ck_assert_uint_eq(heap->dirty, 0);
    b = block(4 * MIB);
    size_t size = block_size(b);
    give_back(block_payload(top));
    give_back(block_payload(b));
    size_t dirty = heap->dirty;
    ck_assert_uint_gt(dirty, 12 * MIB);
    top = block(9 * MIB);  /* fits */
    block(8 * MIB + size); /* does not, and 22 MiB would be in use */
    ck_assert_uint_eq(heap->dirty, 0);
    ck_assert(block_used(wall) && block_used(top));
    ck_healthy();
}
END_TEST

/* The heap had as much in use before: what is free now was needed then, and
 * will be needed again. Only how it lies has changed; until the heap is longer
 * by a quarter. */
START_TEST(growth_purges_nothing_where_as_much_was_in_use_before)
{
    enum { N = 8 };
    struct block *b[N], *walls[N];
    for (int i = 0; i < N; i++) {
        b[i] = block(2 * MIB);
        walls[i] = block(100);
    }
    for (int i = 0; i < 2; i++)
        give_back(block_payload(b[i]));
    block(3 * MIB); /* does not fit: 15 MiB are in use */
    ck_assert_uint_eq(heap->dirty, 0);
    for (int i = 2; i < N; i++)
        give_back(block_payload(b[i]));
    size_t size = heap->size, dirty = heap->dirty;
    ck_assert_uint_ge(dirty, 6 * 2 * MIB);
    block(5 * MIB); /* does not fit either, but only 8 MiB are in use */
    ck_assert_uint_gt(heap->size, size);
    ck_assert_uint_ge(heap->dirty + 64, dirty);
    block(6 * MIB); /* of 19 MiB it has got 24 */
    ck_assert_uint_le(heap->dirty, dirty - 4 * MIB);
    ck_assert(block_used(walls[0]));
    ck_healthy();
}
END_TEST

START_TEST(growth_purges_as_much_as_more_is_in_use)
{
    struct block *b[4], *wall;
    for (int i = 0; i < 4; i++) {
        b[i] = block(4 * MIB);
        wall = block(100);
    }
    give_back(block_payload(b[0]));
    block(5 * MIB); /* does not fit: 17 MiB are in use */
    ck_assert_uint_eq(heap->dirty, 0);
    for (int i = 1; i < 4; i++)
        give_back(block_payload(b[i]));
    size_t dirty = heap->dirty;
    block(14 * MIB); /* 2 MiB more */
    ck_assert_uint_le(heap->dirty, dirty - 2 * MIB + 1024);
    ck_assert_uint_ge(heap->dirty, dirty - 2 * MIB - 1024);
    ck_assert(block_used(wall));
    ck_healthy();
}
END_TEST

START_TEST(much_dirty_memory_is_purged_without_being_asked)
{
    struct block *b[3];
    for (int i = 0; i < 3; i++) {
        b[i] = block(PURGE_SLACK / 2);
        block(100);
    }
    for (int i = 0; i < 3; i++)
        give_back(block_payload(b[i]));
    ck_assert_uint_le(heap->dirty, PURGE_SLACK);
    ck_healthy();
}
END_TEST

/* What merges with the victim is the victim, which is in no list. */
START_TEST(much_dirty_memory_is_purged_though_it_is_the_victims)
{
    enum { N = 100 };
    struct block *b[N];
    for (int i = 0; i < N; i++)
        b[i] = block(MIB);
    give_back(block_payload(b[0]));
    give_back(block_payload(b[1]));
    struct block *small = block(500); /* the rest becomes the victim */
    ck_assert_ptr_nonnull(heap->fit.victim);
    for (int i = 2; i < N; i++)
        give_back(block_payload(b[i]));
    ck_assert_uint_le(heap_purgeable(heap), PURGE_SLACK);
    ck_assert(block_used(small));
    ck_healthy();
}
END_TEST

/* Fill the heap with blocks of size bytes, and free them: one round of a
 * program that does so again and again. */
static void fill_and_free(size_t n, size_t size)
{
    static struct block *b[200];
    for (size_t i = 0; i < n; i++)
        b[i] = block(size);
    while (n)
        give_back(block_payload(b[--n]));
}

/* Give what is dirty at such a chance. @return was anything given? */
static bool chance(void)
{
    size_t dirty = heap_purgeable(heap);
    heap_purge_at_chance(heap);
    return dirty && heap_purgeable(heap) < dirty;
}

/* Even where much of the heap is not, and was purged long ago. */
START_TEST(what_is_taken_again_each_time_is_purged_ever_less)
{
    unsigned purges = 0;
    fill_and_free(40, MIB);
    heap_purge(heap);
    for (int i = 0; i < 100; i++) {
        fill_and_free(2, MIB);
        purges += chance();
    }
    ck_assert_uint_le(purges, 4);
    ck_healthy();
}
END_TEST

/* Each time a block that is larger, so that no free one serves; nor with what
 * follows, as that is another heap's. */
START_TEST(what_is_not_taken_again_is_purged_each_time)
{
    for (size_t i = 0; i < 4; i++) {
        struct block *b = block(4 * MIB << i);
        ck_assert_ptr_nonnull(mem_sbrk(64));
        give_back(block_payload(b));
        ck_assert(chance());
    }
    ck_healthy();
}
END_TEST

START_TEST(a_heap_that_is_filled_again_and_again_keeps_its_pages)
{
    size_t before = 0;
    for (int i = 0; i < 6; i++) {
        before = heap->clean;
        fill_and_free(100, MIB);
    }
    ck_assert_uint_eq(before, 0); /* the last rounds purged nothing */
    ck_assert_uint_eq(heap->clean, 0);
    ck_assert_uint_ge(PURGE_SLACK << heap->patience, 100 * MIB);
    for (int i = 0; i < 4; i++) { /* what is not taken again is given back */
        for (size_t k = 0; k < 3; k++)
            fill_and_free(200, MIB);
        heap_purge(heap);
    }
    ck_healthy();
}
END_TEST

/* Time pays for so many bytes, and not more go back. */
START_TEST(a_purge_that_is_paid_in_part_gives_that_part)
{
    fill_and_free(50, MIB);
    heap->allowance = 100;
    ck_assert(!chance());
    heap->allowance = 4 * MIB;
    size_t resident = heap_resident(heap);
    ck_assert(chance());
    ck_assert_uint_eq(heap_resident(heap), resident - 4 * MIB);
    ck_assert_uint_eq(heap->allowance, 0);
    ck_assert(!chance());
    ck_healthy();
    heap_purge(heap); /* what need asks for is free */
    ck_assert_uint_eq(heap_purgeable(heap), 0);
    ck_healthy();
}
END_TEST

/* Parts of one block are parts of what still may be resident. */
START_TEST(parts_of_a_block_go_one_after_the_other)
{
    char *p = take(10 * MIB, 'p');
    give_back(p);
    size_t before = resident_bytes(p, 10 * MIB);
    ck_assert_uint_ge(before, 9 * MIB);
    for (size_t n = 1; n <= 10; n++) {
        heap_purge_some(heap, PURGE_MIN, MIB);
        size_t left = resident_bytes(p, 10 * MIB);
        ck_assert_uint_le(left + n * MIB, before + 2 * mem_pagesize());
        ck_assert_uint_ge(left + (n + 1) * MIB, before);
    }
    ck_healthy();
}
END_TEST

START_TEST(much_waste_stays_until_time_has_paid)
{
    heap->allowance = 0;
    fill_and_free(100, MIB);
    ck_assert_uint_ge(heap_purgeable(heap), 99 * MIB);
    heap->allowance = 200 * MIB;
    fill_and_free(1, MIB);
    ck_assert_uint_eq(heap_purgeable(heap), 0);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        purge_counts_each_dirty_block_once,
        what_is_taken_again_after_a_purge_slows_time,
        a_free_beside_a_purged_block_makes_only_its_own_bytes_dirty,
        what_is_left_of_a_purged_block_stays_purged,
        growth_purges_when_more_is_in_use_than_before,
        growth_purges_nothing_where_as_much_was_in_use_before,
        growth_purges_as_much_as_more_is_in_use,
        much_dirty_memory_is_purged_without_being_asked,
        much_dirty_memory_is_purged_though_it_is_the_victims,
        what_is_taken_again_each_time_is_purged_ever_less,
        what_is_not_taken_again_is_purged_each_time,
        a_heap_that_is_filled_again_and_again_keeps_its_pages,
        a_purge_that_is_paid_in_part_gives_that_part,
        parts_of_a_block_go_one_after_the_other,
        much_waste_stays_until_time_has_paid,
        NULL};
    return run_tests("heap-purge", begin, tests);
}
