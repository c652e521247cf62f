/* test_designs.c - the contract of ISO C and POSIX, and of struct mm_allocator,
 * in each design. Threads: test_designs_threads.c. */
#include "tests/designs_test.h"
#include "tests/model.h"

#include <sys/wait.h>
#include <unistd.h>

START_TEST(malloc_of_nothing_is_a_block_of_its_own)
{
    begin(_i);
    char *blocks[100];
    for (int i = 0; i < 100; i++) {
        blocks[i] = mm->malloc(0);
        demand(blocks[i]);
        for (int j = 0; j < i; j++)
            demand(blocks[i] != blocks[j]);
    }
    for (int i = 0; i < 100; i++)
        mm->free(blocks[i]);
    mm->free(NULL);
    ck_assert_uint_eq(mm->usable_size(NULL), 0);
    ck_healthy();
}
END_TEST

START_TEST(blocks_of_every_size_are_aligned_apart_and_whole)
{
    enum { MOST = 9000 };
    begin(_i);
    static char *blocks[MOST];
    for (int size = 0; size < MOST; size++)
        blocks[size] = take((size_t)size, size);
    ck_healthy();
    for (int size = 0; size < MOST; size++) {
        demand_filled(blocks[size], (size_t)size, size);
        mm->free(blocks[size]);
    }
    ck_healthy();
}
END_TEST

START_TEST(random_operations_keep_every_promise)
{
    begin(_i);
    for (uint64_t seed = 1; seed <= 4; seed++) {
        model_run(mm, seed, 3000);
        model_end();
    }
}
END_TEST

START_TEST(sizes_that_cannot_be_fail_and_change_nothing)
{
    static const size_t sizes[] = {(size_t)PTRDIFF_MAX + 1, SIZE_MAX - 8,
                                   SIZE_MAX, (size_t)PTRDIFF_MAX,
                                   (size_t)1 << 62};
    begin(_i);
    char *small = take(100, 's'), *large = take(MIB, 'l');
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        ck_fails(mm->malloc(sizes[i]), ENOMEM);
        ck_fails(mm->calloc(1, sizes[i]), ENOMEM);
        ck_fails(mm->realloc(small, sizes[i]), ENOMEM);
        ck_fails(mm->realloc(large, sizes[i]), ENOMEM);
        ck_fails(mm->memalign(4096, sizes[i]), ENOMEM);
        ck_fails(mm->memalign(MIB, sizes[i]), ENOMEM);
    }
    ck_fails(mm->calloc(SIZE_MAX / 2, 4), ENOMEM);
    ck_fails(mm->calloc((size_t)1 << 32, (size_t)1 << 32), ENOMEM);
    demand_filled(small, 100, 's');
    demand_filled(large, MIB, 'l');
    ck_healthy();
}
END_TEST

START_TEST(memalign_takes_any_power_of_two_and_nothing_else)
{
    static const size_t sizes[] = {0, 1, 100, 5000, 100000};
    begin(_i);
    for (size_t align = 1; align <= GIB; align *= 2)
        for (size_t i = 0; i < 5; i++) {
            char *p = mm->memalign(align, sizes[i]);
            demand(p && (uintptr_t)p % align == 0);
            demand(mm->usable_size(p) >= sizes[i]);
            memset(p, 1, sizes[i]);
            p = mm->realloc(p, sizes[i] + 100);
            demand(p);
            mm->free(p);
        }
    ck_fails(mm->memalign(0, 10), EINVAL);
    ck_fails(mm->memalign(48, 10), EINVAL);
    ck_healthy();
}
END_TEST

START_TEST(calloc_is_zero_where_others_wrote)
{
    begin(_i);
    for (size_t size = 1; size < 4 * MIB; size = size * 5 / 3 + 1) {
        for (int round = 0; round < 3; round++) {
            char *p = mm->calloc(1, size);
            demand(p);
            demand_filled(p, size, 0);
            mm->free(memset(p, 'x', mm->usable_size(p)));
        }
    }
    ck_healthy();
}
END_TEST

START_TEST(realloc_keeps_the_bytes_and_frees_at_size_0)
{
    begin(_i);
    char *p = mm->realloc(NULL, 10);
    demand(p);
    memset(p, 'r', 10);
    for (size_t size = 11; size < 40 * MIB; size = size * 3 / 2) {
        p = mm->realloc(p, size);
        demand(p && mm->usable_size(p) >= size);
        demand_filled(p, 10, 'r');
        p[size - 1] = 'e';
    }
    for (size_t size = 30 * MIB; size > 10; size /= 3) {
        p = mm->realloc(p, size);
        demand(p && mm->usable_size(p) >= size);
        demand_filled(p, 10, 'r');
    }
    ck_assert_ptr_null(mm->realloc(p, 0));
    ck_healthy();
}
END_TEST

START_TEST(free_keeps_errno)
{
    begin(_i);
    char *small = take(100, 0), *large = take(3 * MIB, 0);
    errno = 77;
    mm->free(small);
    mm->free(large);
    ck_assert_int_eq(errno, 77);
}
END_TEST

START_TEST(the_first_malloc_may_come_before_init)
{
    mm = designs[_i];
    if (in_the_range(_i))
        return;
    char *p = take(100, 'a');
    ck_assert_int_eq(designs[_i < 2 ? 0 : 2]->init(), 0); /* the default */
    demand_filled(p, 100, 'a');
    mm->free(p);
    ck_healthy();
}
END_TEST

START_TEST(a_design_runs_in_one_variant_at_a_time)
{
    begin(_i);
    if (in_the_range(_i))
        return;
    int next = _i < 2 ? 1 - _i : 2 + (_i - 1) % 3;
    const struct mm_allocator *other = designs[next];
    ck_assert_int_eq(mm->init(), 0);
    errno = 0;
    ck_assert_int_eq(other->init(), -1);
    ck_assert_int_eq(errno, EBUSY);
    mm->fini();
    ck_assert_int_eq(other->init(), 0);
    other->fini();
}
END_TEST

START_TEST(fini_gives_everything_back_and_init_may_follow)
{
    begin(_i);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(mm->init(), 0);
        for (size_t size = 1; size < 10 * MIB; size *= 2)
            take(size, 1);
        demand(stats_now().heap > 0);
        mm->fini();
        ck_assert_uint_eq(mem_heapsize(), 0);
        ck_assert_uint_eq(stats_now().heap, 0);
    }
}
END_TEST

START_TEST(freed_memory_goes_back_to_the_system)
{
    enum { N = 3000 };
    static char *blocks[N];
    if (SANITIZED) /* shadow memory takes long, and is resident, too */
        return;
    begin(_i);
    size_t start = stats_now().heap;
    for (int i = 0; i < N; i++)
        blocks[i] = take(16 * KIB + (size_t)i, i);
    char *big = take(200 * MIB, 1);
    size_t full = process_bytes("RssAnon");
    demand(stats_now().heap > start + 240 * MIB);
    for (int i = 0; i < N; i++)
        mm->free(blocks[i]);
    mm->free(big);
    demand(in_the_range(_i) || stats_now().heap < start + 8 * MIB);
    size_t stays = in_the_range(_i) ? 64 * MIB : 16 * MIB; /* PURGE_SLACK */
    demand(process_bytes("RssAnon") + 246 * MIB - stays < full);
    ck_healthy();
}
END_TEST

START_TEST(without_memory_malloc_fails_and_what_is_freed_is_usable_again)
{
    static char *blocks[200000];
    static const size_t sizes[] = {20, 100, 700, 3000, 9000, 60000};
    if (SANITIZED || !limits_hold())
        return;
    limit_data(300 * MIB);
    begin(_i);
    size_t n = 0, bytes = 0;
    for (; n < 200000; n++) {
        errno = 0;
        if (!(blocks[n] = mm->malloc(sizes[n % 6])))
            break;
        bytes += sizes[n % 6];
        memset(blocks[n], (int)n, sizes[n % 6]);
    }
    ck_assert_int_eq(errno, ENOMEM);
    demand(bytes > 64 * MIB);
    for (size_t i = 0; i < n; i++) {
        demand_filled(blocks[i], sizes[i % 6], (int)i);
        mm->free(blocks[i]);
    }
    for (size_t i = 0; i < n / 2; i++)
        take(sizes[i % 6], 1);
    ck_healthy();
}
END_TEST

START_TEST(a_child_of_fork_goes_on)
{
    begin(_i);
    char *p = take(1000, 'p');
    pid_t child = fork();
    if (child == 0) {
        demand_filled(p, 1000, 'p');
        mm->free(p);
        for (size_t size = 1; size < MIB; size *= 2)
            mm->free(take(size, 1));
        _exit(mm->check() == 0 ? 0 : 1);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    demand_filled(p, 1000, 'p');
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        malloc_of_nothing_is_a_block_of_its_own,
        blocks_of_every_size_are_aligned_apart_and_whole,
        random_operations_keep_every_promise,
        sizes_that_cannot_be_fail_and_change_nothing,
        memalign_takes_any_power_of_two_and_nothing_else,
        calloc_is_zero_where_others_wrote,
        realloc_keeps_the_bytes_and_frees_at_size_0,
        free_keeps_errno,
        the_first_malloc_may_come_before_init,
        a_design_runs_in_one_variant_at_a_time,
        fini_gives_everything_back_and_init_may_follow,
        freed_memory_goes_back_to_the_system,
        without_memory_malloc_fails_and_what_is_freed_is_usable_again,
        a_child_of_fork_goes_on,
        NULL};
    return run_design_tests("designs", tests);
}
