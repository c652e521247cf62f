/* test_heap_release.c - the engine where addresses are scarce: the free ends of
 * regions go back, and the heap grows there again. */
#include "tests/heap_test.h"

#define MIB ((size_t)1 << 20)

static void begin(void)
{
    arena_begin();
    mem_range.scarce = true;
    take(100, 'x');
}

/* Another heap's memory, so that the next growth begins a region. */
static void wall(void)
{
    ck_assert_ptr_nonnull(mem_sbrk(mem_pagesize()));
}

START_TEST(the_free_end_of_a_heap_goes_back_and_it_grows_there_again)
{
    char *kept = take(1000, 'k');
    for (int i = 0; i < 5; i++) {
        size_t before = mem_heapsize();
        char *p = take(8 * MIB, 'p');
        ck_assert_uint_ge(mem_heapsize(), before + 8 * MIB);
        give_back(p);
        ck_assert_uint_ge(heap_release(heap), 7 * MIB);
        ck_assert_uint_eq(heap_release(heap), 0);
        ck_assert_uint_le(mem_heapsize(), 64 << 10);
        ck_assert_uint_eq(heap->size, mem_heapsize());
        ck_assert_uint_eq(regions(), 1);
        ck_healthy();
    }
    ck_filled(kept, 1000, 'k');
}
END_TEST

START_TEST(what_is_in_use_at_the_end_keeps_all_before_it)
{
    char *p = take(8 * MIB, 'p'), *last;
    do /* until one lies behind p */
        last = take(2000, 'l');
    while (last < p);
    give_back(p);
    ck_assert_uint_eq(heap_release(heap), 0);
    ck_healthy();
    give_back(last);
    ck_healthy();
}
END_TEST

START_TEST(regions_that_are_free_go_whole)
{
    char *blocks[10];
    for (int i = 0; i < 10; i++) {
        wall();
        blocks[i] = take(2 * MIB, (char)i);
    }
    ck_assert_uint_gt(regions(), 5);
    for (int i = 0; i < 10; i++) {
        ck_filled(blocks[i], 2 * MIB, (char)i);
        give_back(blocks[i]);
    }
    ck_assert_uint_ge(heap_release(heap), 15 * MIB);
    ck_healthy();
    ck_assert_uint_le(regions(), 2);
    ck_assert_uint_le(heap->size, 64 << 10);
    for (int i = 0; i < 10; i++)
        blocks[i] = take(2 * MIB, (char)i);
    ck_healthy();
    for (int i = 0; i < 10; i++)
        ck_filled(blocks[i], 2 * MIB, (char)i);
}
END_TEST

/* Where nothing says so, all is as ever. */
START_TEST(where_addresses_are_plenty_none_goes_back)
{
    mem_range.scarce = false;
    char *p = take(8 * MIB, 'p');
    size_t before = mem_heapsize();
    give_back(p);
    ck_assert_uint_eq(heap_release(heap), 0);
    heap_purge(heap);
    ck_assert_uint_eq(mem_heapsize(), before);
    ck_healthy();
}
END_TEST

START_TEST(random_blocks_stay_whole_while_ends_come_and_go)
{
    enum { N = 64 };
    static struct {
        char *p;
        size_t size;
    } held[N];
    uint64_t random = 42;
    for (int i = 0; i < 6000; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t k = random >> 58;
        if (held[k].p) {
            ck_filled(held[k].p, held[k].size, (char)k);
            give_back(held[k].p);
            held[k].p = NULL;
        } else {
            held[k].size = (random >> 30) % (i % 8 ? 3000 : 3 * MIB) + 1;
            held[k].p = take(held[k].size, (char)k);
        }
        if (i % 16 == 0)
            heap_release(heap);
        if (i % 64 == 0)
            wall();
        if (i % 256 == 0)
            ck_healthy();
    }
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_free_end_of_a_heap_goes_back_and_it_grows_there_again,
        what_is_in_use_at_the_end_keeps_all_before_it,
        regions_that_are_free_go_whole,
        where_addresses_are_plenty_none_goes_back,
        random_blocks_stay_whole_while_ends_come_and_go,
        NULL};
    return run_tests("heap-release", begin, tests);
}
