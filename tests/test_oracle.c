/* test_oracle.c - where blocks lie: each fault planted, one at a time. */
#include "tests/fake_allocator.h"
#include "tests/run_tests.h"

#include <sys/mman.h>

static void set_up(void)
{
    new_oracle(&fake_allocator, 1);
}

static void tear_down(void)
{
    oracle_free(oracle);
    oracle = NULL;
}

/* ---- where a block lies ---------------------------------------------- */

START_TEST(blocks_side_by_side_are_valid)
{
    give(heap);
    give(heap + 112);
    give(heap + 4096);
    ck_assert(run_all("t", "a 0 100\na 1 16\nc 2 3 5\nf 1\nf -1\n"));
    ck_assert_int_eq(fault.kind, FAULT_NONE);
}
END_TEST

START_TEST(null_is_a_fault)
{
    give(NULL);
    ck_assert(!run_all("dir/x.rep", "a 5 100\n"));
    assert_fault(FAULT_NULL, "fake: thread 0: dir/x.rep:4: malloc(100) of ",
                 "block 5", "NULL");
}
END_TEST

START_TEST(null_for_more_than_the_machine_has_is_none)
{
    give(NULL);
    give(NULL);
    ck_assert(run_all("t", "a 0 140737488355327\nf 0\na 1 140737488355327\n"));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 0);
}
END_TEST

START_TEST(null_must_come_with_enomem)
{
    give(NULL);
    fake.error = EINVAL;
    ck_assert(!run_all("t", "a 0 140737488355327\n"));
    assert_fault(FAULT_NULL, "NULL and errno 22", "ENOMEM");
}
END_TEST

START_TEST(a_misaligned_block_is_a_fault)
{
    give(heap + 8);
    ck_assert(!run_all("t", "a 0 100\n"));
    assert_fault(FAULT_ALIGN, "t:4: malloc(100)", "multiple of 16");
}
END_TEST

static void allow_small_align(void)
{
    static struct mm_allocator a;
    a = fake_allocator;
    a.small_align = true;
    new_oracle(&a, 1);
}

START_TEST(an_allocator_may_say_that_small_blocks_are_8_aligned)
{
    allow_small_align();
    give(heap + 8);
    give(heap + 16);
    give(heap + 36);
    ck_assert(!run_all("t", "a 0 8\na 1 15\na 2 1\n"));
    assert_fault(FAULT_ALIGN, "t:6: malloc(1)", "multiple of 8");
}
END_TEST

START_TEST(memalign_must_align_as_asked)
{
    give(heap + 64);
    give(heap + 4096 + 32);
    ck_assert(!run_all("t", "m 0 64 100\nm 1 64 100\n"));
    assert_fault(FAULT_ALIGN, "t:5: memalign(64, 100)", "multiple of 64");
}
END_TEST

START_TEST(memalign_below_16_still_aligns_to_16)
{
    give(heap + 8);
    ck_assert(!run_all("t", "m 0 8 100\n"));
    assert_fault(FAULT_ALIGN, "memalign(8, 100)", "multiple of 16");
}
END_TEST

START_TEST(a_block_that_leaves_the_heap_is_a_fault)
{
    give(heap + sizeof heap - 64);
    ck_assert(!run_all("t", "a 0 65\n"));
    assert_fault(FAULT_OUTSIDE, "65 bytes", "reach beyond the heap's end",
                 "1 of its bytes");
}
END_TEST

START_TEST(an_overlap_beyond_the_heap_is_told_as_both)
{
    give(heap + sizeof heap - 64);
    give(heap + sizeof heap - 32);
    ck_assert(!run_all("t", "a 0 64\na 1 48\n"));
    assert_fault(FAULT_OVERLAP, "of block 1", "overlaps live block 0",
                 "and 16 of its bytes lie beyond the heap's end");
}
END_TEST

START_TEST(an_overlap_names_both_blocks)
{
    struct run one = run_begin("one.rep", "a 3 100\n", 2);
    struct run two = run_begin("two.rep", "a 6 64\n", 5);
    give(heap + 160);
    give(heap + 112);
    ck_assert(run_step(&one));
    ck_assert(!run_step(&two));
    assert_fault(FAULT_OVERLAP,
                 "fake: thread 5: two.rep:4: malloc(64) of block 6",
                 "64 bytes at", "live block 3 (100 bytes at", "of thread 2",
                 "one.rep:4)");
    ck_assert_uint_eq(fault.thread, 5);
    run_end(&two);
    run_end(&one);
}
END_TEST

START_TEST(two_empty_blocks_at_one_place_overlap)
{
    give(heap);
    give(heap);
    ck_assert(!run_all("t", "a 0 0\na 1 0\n"));
    assert_fault(FAULT_OVERLAP, "malloc(0)", "block 0");
}
END_TEST

START_TEST(freed_memory_may_be_given_again)
{
    give(heap);
    give(heap + 16);
    give(heap + 16); /* the realloc stays where it is */
    give(heap + 32);
    ck_assert(run_all("t", "a 0 100\nf 0\na 1 200\nr 1 300\nf 1\na 0 100\n"));
}
END_TEST

START_TEST(a_block_that_is_half_inside_a_huge_one_overlaps)
{
    fake.anywhere = true;
    char *big = mmap(NULL, (size_t)1 << 30, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert(big != MAP_FAILED);
    give(big);
    give(big + ((size_t)1 << 30) - 32);
    ck_assert(!run_all("t", "a 0 1073741824\na 1 64\n"));
    assert_fault(FAULT_OVERLAP, "t:5:", "1073741824 bytes at");
    munmap(big, (size_t)1 << 30);
}
END_TEST

/* ---- usable_size ----------------------------------------------------- */

START_TEST(usable_size_below_size_is_a_fault)
{
    fake.slack = -1;
    give(heap);
    ck_assert(!run_all("t", "a 0 100\n"));
    assert_fault(FAULT_USABLE, "is 99", "at least 100");
}
END_TEST

START_TEST(usable_bytes_of_another_block_are_an_overlap)
{
    give(heap + 128);
    give(heap);
    fake.slack = 29;
    ck_assert(!run_all("t", "a 0 100\na 1 100\n"));
    assert_fault(FAULT_OVERLAP, "t:5:", "its usable_size", "100 bytes at",
                 "129 usable", "block 0");
}
END_TEST

START_TEST(usable_bytes_beyond_the_heap_are_a_fault)
{
    give(heap + sizeof heap - 112);
    fake.slack = 16;
    ck_assert(!run_all("t", "a 0 100\n"));
    assert_fault(FAULT_USABLE, "is 116", "inside the allocator's heap");
}
END_TEST

START_TEST(the_last_usable_byte_is_checked)
{
    struct run r = run_begin("t", "a 0 100\nf 0\n", 0);
    give(heap);
    fake.slack = 10;
    ck_assert(run_step(&r));
    heap[109] ^= 1;
    ck_assert(!run_step(&r));
    assert_fault(FAULT_DATA, "t:5: free of block 0", "last usable byte",
                 "byte 109 of 100");
    run_end(&r);
}
END_TEST

/* ---- levels, and faults at once -------------------------------------- */

START_TEST(level_2_calls_check_after_each_operation)
{
    new_oracle(&fake_allocator, 2);
    struct run r = run_begin("t", "a 0 100\nf 0\n", 0);
    give(heap);
    ck_assert(run_step(&r));
    fake.broken = 3;
    ck_assert(!run_step(&r));
    assert_fault(FAULT_CHECK, "t:5: free", "3 broken invariants");
    run_end(&r);
}
END_TEST

START_TEST(level_0_finds_null_and_nothing_else)
{
    new_oracle(&fake_allocator, 0);
    give(heap + 8);
    give(heap + 8);
    ck_assert(run_all("t", "a 0 100\na 1 100\nf 1\n"));
    ck_assert_uint_eq(oracle_peak_payload(oracle), 200);
    give(NULL);
    ck_assert(!run_all("t", "a 0 100\n"));
    assert_fault(FAULT_NULL, "NULL");
}
END_TEST

START_TEST(the_first_fault_stands)
{
    struct run r = run_begin("t", "a 0 100\na 1 100\na 2 100\n", 0);
    give(NULL);
    give(heap + 8);
    give(heap);
    ck_assert(!run_step(&r));
    ck_assert(!run_step(&r));
    ck_assert(!run_step(&r));
    assert_fault(FAULT_NULL, "t:4:");
    run_end(&r);
}
END_TEST

START_TEST(a_long_path_leaves_room_for_the_message)
{
    char path[700];
    memset(path, 'd', sizeof path);
    memcpy(path + sizeof path - 7, "/t.rep", 7);
    give(heap);
    give(heap + 32);
    ck_assert(!run_all(path, "a 0 100\na 1 100\n"));
    assert_fault(FAULT_OVERLAP, "/t.rep:5: malloc(100) of block 1",
                 "/t.rep:4)");
}
END_TEST

int main(void)
{
    Suite *s = suite_create("oracle");
    TCase *t = tcase_create("places");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, blocks_side_by_side_are_valid);
    tcase_add_test(t, null_is_a_fault);
    tcase_add_test(t, null_for_more_than_the_machine_has_is_none);
    tcase_add_test(t, null_must_come_with_enomem);
    tcase_add_test(t, a_misaligned_block_is_a_fault);
    tcase_add_test(t, an_allocator_may_say_that_small_blocks_are_8_aligned);
    tcase_add_test(t, memalign_must_align_as_asked);
    tcase_add_test(t, memalign_below_16_still_aligns_to_16);
    tcase_add_test(t, a_block_that_leaves_the_heap_is_a_fault);
    tcase_add_test(t, an_overlap_beyond_the_heap_is_told_as_both);
    tcase_add_test(t, an_overlap_names_both_blocks);
    tcase_add_test(t, two_empty_blocks_at_one_place_overlap);
    tcase_add_test(t, freed_memory_may_be_given_again);
    tcase_add_test(t, a_block_that_is_half_inside_a_huge_one_overlaps);
    tcase_add_test(t, usable_size_below_size_is_a_fault);
    tcase_add_test(t, usable_bytes_of_another_block_are_an_overlap);
    tcase_add_test(t, usable_bytes_beyond_the_heap_are_a_fault);
    tcase_add_test(t, the_last_usable_byte_is_checked);
    tcase_add_test(t, level_2_calls_check_after_each_operation);
    tcase_add_test(t, level_0_finds_null_and_nothing_else);
    tcase_add_test(t, the_first_fault_stands);
    tcase_add_test(t, a_long_path_leaves_room_for_the_message);
    suite_add_tcase(s, t);
    return run_suite(s);
}
