/* test_fit_tree.c - the policy of a balanced tree (mm/engine/fit_tree.h). */
#define MM_FIT "mm/engine/fit_tree.h"
#include "tests/fit_test.h"

/* The smallest that is large enough; of equal ones the first in memory. */
static struct block *expected(size_t asize)
{
    struct block *best = NULL;
    for (struct block *b = next_waiting(NULL); b; b = next_waiting(b))
        if (block_size(b) >= asize &&
            (!best || block_size(b) < block_size(best)))
            best = b;
    return best;
}

static size_t depth(uint32_t at)
{
    if (!at)
        return 0;
    const struct block *b = link_block(heap->fit.base, at);
    return 1 + max_size(depth(b->next), depth(b->prev));
}

/* All of one size, freed from the low end up: the worst order for a tree that
 * is not balanced. */
START_TEST(the_tree_is_balanced)
{
    enum { N = 1 << 14 };
    static void *blocks[2 * N];
    for (int i = 0; i < 2 * N; i++)
        blocks[i] = take(24, 'x');
    for (int i = 0; i < 2 * N; i += 2)
        give_back(blocks[i]);
    ck_assert_uint_ge(free_blocks(), N);
    ck_assert_uint_le(depth(heap->fit.root), 3 * 14);
    ck_healthy();
}
END_TEST

START_TEST(h6_a_key_on_the_wrong_side)
{
    fill_heap();
    struct block *b = link_block(heap->fit.base, heap->fit.root);
    ck_assert(b->next || b->prev);
    uint32_t low = b->next;
    b->next = b->prev;
    b->prev = low;
    size_t bad = arena_check();
    ck_assert_uint_ge(bad, 1);
    ck_assert_ptr_nonnull(strstr(said, "H6 keys rise from left to right"));
}
END_TEST

START_TEST(h6_a_priority_that_rises)
{
    fill_heap();
    struct block *root = link_block(heap->fit.base, heap->fit.root);
    uint32_t child = root->next ? root->next : root->prev;
    struct block *b = link_block(heap->fit.base, child);
    *(root->next ? &root->next : &root->prev) = 0;
    *(b->next ? &b->prev : &b->next) = heap->fit.root;
    heap->fit.root = child;
    ck_names("H6", b);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {FIT_TESTS, the_tree_is_balanced,
                                  h6_a_key_on_the_wrong_side,
                                  h6_a_priority_that_rises, NULL};
    return run_heap_tests("fit-tree", tests);
}
