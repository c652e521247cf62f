/* test_oracle_data.c - what blocks hold, while live and through realloc. */
#include "tests/fake_allocator.h"
#include "tests/run_tests.h"

static void set_up(void)
{
    new_oracle(&fake_allocator, 1);
}

static void tear_down(void)
{
    oracle_free(oracle);
    oracle = NULL;
}

/* ---- what a block holds ---------------------------------------------- */

START_TEST(a_calloc_that_is_not_zero_is_a_fault)
{
    give(heap);
    heap[77] = 3;
    ck_assert(!run_all("t", "c 0 10 10\n"));
    assert_fault(FAULT_DIRTY, "t:4: calloc(10, 10)", "byte 77", "0x03");
}
END_TEST

/* Change a byte after the first operation; the second must find it. */
static void change_then(const char *ops, const char *where)
{
    struct run r = run_begin("t", ops, 0);
    give(heap);
    give(heap + 4096);
    ck_assert(run_step(&r));
    heap[99] ^= 0x40;
    if (r.nops > 1)
        ck_assert(!run_step(&r));
    ck_assert(!run_end(&r));
    assert_fault(FAULT_DATA, where, "byte 99 of 100", "line 4");
}

START_TEST(changed_data_is_found_at_free)
{
    change_then("a 0 100\nf 0\n", "t:5: free");
}
END_TEST

START_TEST(changed_data_is_found_at_realloc)
{
    change_then("a 0 100\nr 0 50\n", "t:5: realloc");
}
END_TEST

START_TEST(changed_data_is_found_at_the_end)
{
    change_then("a 0 100\n", "final free of block 0");
}
END_TEST

START_TEST(a_realloc_that_keeps_nothing_is_a_fault)
{
    give(heap);
    give(heap + 4096);
    ck_assert(!run_all("t", "a 0 100\nr 0 200\n"));
    assert_fault(FAULT_REALLOC, "t:5: realloc(.., 200) of block 0", "byte 0");
}
END_TEST

static void copy_99(void)
{
    memcpy(heap + 4096, heap, 99);
}

static void copy_100(void)
{
    memcpy(heap + 4096, heap, 100);
}

START_TEST(a_realloc_must_keep_the_last_byte_too)
{
    give(heap);
    give(heap + 4096);
    fake.in_realloc = copy_99;
    ck_assert(!run_all("t", "a 0 100\nr 0 200\n"));
    assert_fault(FAULT_REALLOC, "byte 99 of 200");
}
END_TEST

START_TEST(a_shrinking_realloc_keeps_only_what_fits)
{
    give(heap);
    give(heap + 4096);
    fake.in_realloc = copy_99;
    ck_assert(run_all("t", "a 0 100\nr 0 99\nf 0\n"));
}
END_TEST

START_TEST(realloc_to_0_ends_a_block)
{
    give(heap);
    give(NULL);
    give(heap);
    ck_assert(run_all("t", "a 0 100\nr 0 0\na 1 100\n"));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 100);
}
END_TEST

START_TEST(a_realloc_that_may_fail_must_leave_the_block_alone)
{
    give(heap);
    give(NULL);
    struct run r = run_begin("t", "a 0 100\nr 0 140737488355227\nf 0\n", 0);
    ck_assert(run_step(&r));
    ck_assert(run_step(&r));
    heap[99] ^= 1;
    ck_assert(!run_step(&r));
    assert_fault(FAULT_DATA, "t:6: free", "byte 99 of 100");
    run_end(&r);
}
END_TEST

/* While a realloc moves block 0, another thread gets its old place. */
static struct run other;

static void other_thread_allocates(void)
{
    copy_100();
    fake.in_realloc = NULL;
    ck_assert(run_step(&other));
}

START_TEST(another_thread_may_get_the_old_block_before_realloc_returns)
{
    struct run r = run_begin("t", "a 0 100\nr 0 200\nf 0\n", 0);
    other = run_begin("u", "a 7 64\nf 7\n", 1);
    give(heap);
    give(heap + 4096);
    give(heap);
    fake.in_realloc = other_thread_allocates;
    for (int i = 0; i < 3; i++)
        ck_assert(run_step(&r));
    ck_assert(run_step(&other));
    ck_assert(run_end(&other));
    ck_assert(run_end(&r));
}
END_TEST

int main(void)
{
    Suite *s = suite_create("oracle data");
    TCase *t = tcase_create("data");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, a_calloc_that_is_not_zero_is_a_fault);
    tcase_add_test(t, changed_data_is_found_at_free);
    tcase_add_test(t, changed_data_is_found_at_realloc);
    tcase_add_test(t, changed_data_is_found_at_the_end);
    tcase_add_test(t, a_realloc_that_keeps_nothing_is_a_fault);
    tcase_add_test(t, a_realloc_must_keep_the_last_byte_too);
    tcase_add_test(t, a_shrinking_realloc_keeps_only_what_fits);
    tcase_add_test(t, realloc_to_0_ends_a_block);
    tcase_add_test(t, a_realloc_that_may_fail_must_leave_the_block_alone);
    tcase_add_test(t,
                   another_thread_may_get_the_old_block_before_realloc_returns);
    suite_add_tcase(s, t);
    return run_suite(s);
}
