/* test_lflist.c - stack.h and outbox.h: what goes in comes out, once; a closed
 * inbox takes nothing; a stack's tag changes each time. Threads too. */
#include "mm/front/inbox.h"
#include "mm/front/outbox.h"
#include "mm/lockfree/stack.h"

#include "tests/arena_variants.h"
#include "tests/run_tests.h"

#define NTHREADS 4
#define NBLOCKS (SANITIZED ? 20000 : 200000) /* of a thread */
#define NNODES 8

static struct inbox inbox;
static struct tagged stack;
static _Atomic uint32_t links[NNODES];
static void *blocks[4][2];

static void begin(void)
{
}

static _Atomic uint32_t *link_of(uint32_t i)
{
    return &links[i];
}

/* ---- inbox ----------------------------------------------------------- */

START_TEST(an_inbox_gives_the_chains_back_newest_first)
{
    ck_assert(!inbox_has_blocks(&inbox));
    ck_assert_ptr_null(inbox_take_owner(&inbox));
    blocks[0][0] = blocks[1];
    ck_assert(inbox_push_remote(&inbox, blocks[0], blocks[1]));
    ck_assert(inbox_push_remote(&inbox, blocks[2], blocks[2]));
    ck_assert(inbox_has_blocks(&inbox));
    void *p = inbox_take_owner(&inbox);
    ck_assert_ptr_eq(p, blocks[2]);
    ck_assert_ptr_eq(*(void **)p, blocks[0]);
    ck_assert_ptr_eq(blocks[0][0], blocks[1]);
    ck_assert_ptr_null(blocks[1][0]);
    ck_assert(!inbox_has_blocks(&inbox));
}
END_TEST

START_TEST(a_closed_inbox_takes_nothing_until_it_is_opened)
{
    ck_assert(inbox_push_remote(&inbox, blocks[0], blocks[0]));
    ck_assert_ptr_eq(inbox_close_owner(&inbox), blocks[0]);
    ck_assert(!inbox_push_remote(&inbox, blocks[1], blocks[1]));
    inbox_open_owner(&inbox);
    ck_assert(inbox_push_remote(&inbox, blocks[1], blocks[1]));
    ck_assert_ptr_eq(inbox_close_owner(&inbox), blocks[1]);
}
END_TEST

/* How many of its blocks a thread got rid of before the inbox was closed. */
static void *run_push(void *arg)
{
    void **own = arg;
    size_t n = 0;
    while (n < (size_t)NBLOCKS && inbox_push_remote(&inbox, own + n, own + n))
        n++;
    return (void *)n;
}

static size_t chain_length(void **p)
{
    size_t n = 0;
    for (; p; p = *p)
        n++;
    return n;
}

START_TEST(what_many_push_is_taken_once_also_while_the_inbox_closes)
{
    pthread_t threads[NTHREADS];
    size_t pushed = 0, taken = 0;
    void **mine = calloc((size_t)NTHREADS * NBLOCKS, sizeof *mine);
    ck_assert_ptr_nonnull(mine);
    for (size_t i = 0; i < NTHREADS; i++)
        threads[i] = thread_start(run_push, mine + i * NBLOCKS);
    while (taken < (size_t)NBLOCKS)
        taken += chain_length(inbox_take_owner(&inbox));
    taken += chain_length(inbox_close_owner(&inbox));
    for (size_t i = 0; i < NTHREADS; i++)
        pushed += (size_t)thread_wait(threads[i]);
    ck_assert_uint_eq(taken, pushed);
    free(mine);
}
END_TEST

/* ---- stack ----------------------------------------------------------- */

START_TEST(a_stack_gives_the_newest_node_first)
{
    ck_assert_uint_eq(tagged_pop(&stack, link_of), TAGGED_NONE);
    for (uint32_t i = 0; i < NNODES; i++)
        tagged_push(&stack, &links[i], i);
    for (uint32_t i = NNODES; i-- > 0;)
        ck_assert_uint_eq(tagged_pop(&stack, link_of), i);
    ck_assert_uint_eq(tagged_pop(&stack, link_of), TAGGED_NONE);
}
END_TEST

START_TEST(a_stack_that_holds_the_same_again_has_another_tag)
{
    tagged_push(&stack, &links[0], 0);
    uint64_t before = stack.head;
    tagged_pop(&stack, link_of);
    tagged_push(&stack, &links[0], 0);
    ck_assert_uint_eq(before & TAGGED_INDEX_MASK,
                      stack.head & TAGGED_INDEX_MASK);
    ck_assert_uint_ne(before, stack.head);
}
END_TEST

START_TEST(the_last_index_fits_beside_the_tag)
{
    static _Atomic uint32_t link;
    stack.head = ~(uint64_t)0 << TAGGED_INDEX_BITS; /* the tag wraps, alone */
    tagged_push(&stack, &link, TAGGED_INDEX_MASK - 1);
    ck_assert_uint_eq(stack.head, TAGGED_INDEX_MASK);
}
END_TEST

static atomic_int holders[NNODES];

static void *run_pop_push(void *unused)
{
    for (int n = 0; n < NBLOCKS; n++) {
        uint32_t i = tagged_pop(&stack, link_of);
        if (i == TAGGED_NONE)
            continue;
        demand(atomic_fetch_add(&holders[i], 1) == 0);
        atomic_fetch_sub(&holders[i], 1);
        tagged_push(&stack, &links[i], i);
    }
    return unused;
}

START_TEST(a_node_that_many_pop_and_push_is_held_by_one_at_a_time)
{
    pthread_t threads[NTHREADS];
    for (uint32_t i = 0; i < NNODES; i++)
        tagged_push(&stack, &links[i], i);
    for (int i = 0; i < NTHREADS; i++)
        threads[i] = thread_start(run_pop_push, NULL);
    for (int i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
    uint32_t seen = 0, n = 0;
    for (uint32_t i; (i = tagged_pop(&stack, link_of)) != TAGGED_NONE; n++)
        seen |= 1u << i;
    ck_assert_uint_eq(n, NNODES);
    ck_assert_uint_eq(seen, (1u << NNODES) - 1);
}
END_TEST

/* ---- outbox ---------------------------------------------------------- */

START_TEST(a_letter_is_full_of_blocks_or_of_bytes)
{
    static void *many[OUTBOX_BLOCKS];
    struct outbox box = {0};
    struct shard *to = (struct shard *)(void *)blocks;
    struct batch *l = outbox_slot(&box, 3);
    ck_assert_ptr_eq(l, outbox_slot(&box, 3 + OUTBOX_SLOTS));
    for (size_t i = 0; i < OUTBOX_BLOCKS; i++)
        ck_assert(batch_add(l, to, &many[i], 8) == (i == OUTBOX_BLOCKS - 1));
    ck_assert_uint_eq(chain_length(l->first), OUTBOX_BLOCKS);
    ck_assert_ptr_eq(l->last, &many[0]);

    l->to = NULL; /* posted */
    ck_assert(!batch_add(l, to, &many[0], OUTBOX_BYTES / 2));
    ck_assert(batch_add(l, to, &many[1], SIZE_MAX));
    ck_assert_uint_eq(chain_length(l->first), 2);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_inbox_gives_the_chains_back_newest_first,
        a_closed_inbox_takes_nothing_until_it_is_opened,
        what_many_push_is_taken_once_also_while_the_inbox_closes,
        a_stack_gives_the_newest_node_first,
        a_stack_that_holds_the_same_again_has_another_tag,
        the_last_index_fits_beside_the_tag,
        a_node_that_many_pop_and_push_is_held_by_one_at_a_time,
        a_letter_is_full_of_blocks_or_of_bytes,
        NULL};
    return run_tests("lflist", begin, tests);
}
