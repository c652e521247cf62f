/* test_fit_list.c - the policy of one list by address
 * (mm/engine/fit_list.h). */
#define MM_FIT "mm/engine/fit_list.h"
#include "tests/fit_test.h"

/* The first in memory that is large enough. */
static struct block *expected(size_t asize)
{
    struct block *b = next_waiting(NULL);
    while (b && block_size(b) < asize)
        b = next_waiting(b);
    return b;
}

/* The way back is far along the list, and short in memory; and the other way
 * round, for there are no free neighbours. */
START_TEST(a_freed_block_is_put_in_its_place)
{
    enum { N = 500 };
    static void *blocks[N];
    for (int i = 0; i < N; i++)
        blocks[i] = take(100, 'x');
    for (int i = 0; i < N; i += 2)
        give_back(blocks[i * 7 % N]);
    ck_healthy();
    give_back(blocks[N - 1]);
    give_back(blocks[1]);
    ck_healthy();
    uint32_t link = heap->fit.first;
    ck_assert_ptr_eq(block_payload(link_block(heap->fit.base, link)),
                     blocks[0]);
}
END_TEST

START_TEST(h6_addresses_that_fall)
{
    fill_heap();
    struct block *first = link_block(heap->fit.base, heap->fit.first);
    struct block *second = link_block(heap->fit.base, first->next);
    heap->fit.first = first->next;
    first->next = second->next;
    link_block(heap->fit.base, second->next)->prev =
        block_link(heap->fit.base, first);
    second->next = block_link(heap->fit.base, first);
    first->prev = block_link(heap->fit.base, second);
    second->prev = 0;
    ck_names("H6", first);
}
END_TEST

START_TEST(h6_a_finger_that_points_elsewhere)
{
    fill_heap();
    heap->fit.finger = block_link(heap->fit.base, live.used);
    ck_names("H6", &heap->fit.finger);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {FIT_TESTS, a_freed_block_is_put_in_its_place,
                                  h6_addresses_that_fall,
                                  h6_a_finger_that_points_elsewhere, NULL};
    return run_heap_tests("fit-list", tests);
}
