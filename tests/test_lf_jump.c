/* test_lf_jump.c - handlers that leave malloc by siglongjmp, and that allocate
 * much inside: a thread whose struct stays shut goes on with another one. */
#include "tests/lf_test.h"

#include "tests/jump.h"

static enum status shard_status(const struct shard *s)
{
    return status_of(state_get(s));
}

static void allocate_often(void)
{
    for (int i = 0; i < SIDE_MOST; i++)
        lab->free(lab->malloc(100));
}

/* ---- from inside -------------------------------------------------------- */

/* @return this thread's seat, which nobody will leave: as after a jump */
static struct thread *jump_out(void)
{
    lab->free(lab->malloc(100));
    struct thread *t = self();
    enter(t);
    return t;
}

START_TEST(who_jumps_out_of_malloc_is_soon_as_fast_as_before)
{
    void *p = lab->malloc(100);
    struct thread *t = jump_out();
    allocate_often();
    ck_assert_ptr_ne(self(), t);
    ck_assert_uint_eq(self()->open, OPEN);
    const struct shard *s = self()->shard;
    lab->free(p);
    allocate_often();
    ck_assert_ptr_eq(self()->shard, s);
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

START_TEST(what_was_jumped_out_of_is_entered_by_nobody)
{
    struct thread *t = jump_out();
    struct shard *s = t->shard;
    allocate_often();
    ck_assert_uint_eq(t->open, 0);
    ck_assert_int_eq(shard_status(s), OWNED);
    ck_assert(!shard_steal(s));
    lab->thread_exit();
    ck_assert_int_eq(shard_status(s), OWNED);
    ck_assert_ptr_ne(shard_acquire(), s);
}
END_TEST

START_TEST(few_calls_on_the_side_change_nothing)
{
    struct thread *t = jump_out();
    for (int i = 0; i < SIDE_MOST - 1; i++)
        ck_assert_ptr_nonnull(lab->malloc(100));
    ck_assert_ptr_eq(self(), t);
    leave(t);
    lab->free(lab->malloc(NO_BIN)); /* outside once more: they are forgotten */
    enter(t);
    ck_assert_ptr_nonnull(lab->malloc(100));
    ck_assert_ptr_eq(self(), t);
}
END_TEST

/* The call that was interrupted goes on, and ends, after all. */
/* In a row, that is: what the thread does in its shard between them, by
 * whatever way it enters, tells that it is well. */
START_TEST(many_calls_on_the_side_with_others_between_change_nothing)
{
    static void *blocks[400], *kept[4000];
    for (unsigned i = 0; i < 4000; i++) /* the heap need not grow later */
        kept[i] = lab->malloc(100);
    ck_assert_ptr_nonnull(kept[3999]);
    struct thread *t = self();
    for (unsigned i = 0; i < 2 * SIDE_MOST; i++) {
        for (unsigned j = 0; j < 400; j++)
            blocks[j] = lab->malloc(100);
        for (unsigned j = 0; j < 400; j++)
            lab->free(blocks[j]);
        enter(t); /* a handler in the middle of a call */
        lab->free(lab->malloc(100));
        leave(t);
        ck_assert_ptr_eq(self(), t);
    }
}
END_TEST

START_TEST(a_handler_that_allocates_much_uses_the_same_structs_again)
{
    struct thread *t = jump_out();
    allocate_often();
    struct thread *u = self();
    uint32_t n = 0;
    for (int i = 0; i < 100; i++) {
        leave(t);
        ck_assert_ptr_eq(self(), u);
        enter(u);
        allocate_often();
        ck_assert_ptr_eq(self(), t);
        leave(u);
        enter(t);
        allocate_often();
        ck_assert_ptr_eq(self(), u);
        n = i ? n : shard_count();
    }
    leave(t);
    ck_assert_uint_eq(shard_count(), n);
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

static struct shard *first, *second;

static void *end_with_two_seats(void *unused)
{
    struct thread *t = jump_out();
    allocate_often();
    first = t->shard;
    second = self()->shard;
    leave(t);
    return unused;
}

START_TEST(a_thread_that_ends_gives_up_all_its_structs)
{
    lab->free(lab->malloc(100));
    in_thread(end_with_two_seats, NULL);
    ck_assert_ptr_ne(first, second);
    ck_assert_int_eq(shard_status(first), ORPHAN);
    ck_assert_int_eq(shard_status(second), ORPHAN);
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

/* ---- by signals --------------------------------------------------------- */

static void call(void *kept)
{
    lab->free(lab->malloc(100));
    lab->free(lab->malloc(NO_BIN));
    lab->free(lab->realloc(lab->malloc(200), 2000));
    lab->free(kept);
}

/* @return whether the call was left at its step n */
static bool call_until(unsigned n, void *kept)
{
    steps = 0;
    last_step = n;
    if (sigsetjmp(out, 1))
        return true;
    raise(SIGUSR1);
    call(kept);
    last_step = steps + 1;
    return false;
}

/* At each instruction, in the order of their coming; further apart later, for
 * each jump out of the inside costs a shard. */
START_TEST(a_handler_may_jump_out_of_any_instruction)
{
    unsigned moved = 0;
    if (SANITIZED)
        return;
    handle(SIGUSR1, step_start);
    handle(SIGTRAP, step);
    for (unsigned n = 1;; n += 1 + n / 128) {
        struct thread *before = self();
        unsigned char *kept = lab->malloc(300);
        memset(kept, 'x', 300);
        if (!call_until(n, lab->malloc(50)))
            break;
        allocate_often();
        ck_assert_uint_eq(self()->open, OPEN);
        ck_assert_uint_eq(shard_check(self()->shard), 0);
        ck_assert_uint_eq(kept[0] + kept[299], 'x' + 'x');
        lab->free(kept);
        moved += self() != before;
    }
    ck_assert_uint_gt(moved, 50);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_jumps_out_of_malloc_is_soon_as_fast_as_before,
        what_was_jumped_out_of_is_entered_by_nobody,
        few_calls_on_the_side_change_nothing,
        many_calls_on_the_side_with_others_between_change_nothing,
        a_handler_that_allocates_much_uses_the_same_structs_again,
        a_thread_that_ends_gives_up_all_its_structs,
        a_handler_may_jump_out_of_any_instruction,
        NULL};
    return run_tests("lf-jump", here_begin, tests);
}
