/* test_memlib_side.c - blocks for who is inside one of memlib's calls. */
#include "tests/memlib_test.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(each_block_is_as_large_and_as_aligned_as_was_asked_for)
{
    for (size_t size = 0; size < 3 * MIB; size = size * 2 + 1)
        for (size_t align = 1; align <= MIB; align *= 4) {
            char *p = mem_side(align, size);
            ck_assert_ptr_nonnull(p);
            ck_assert_uint_eq((uintptr_t)p % (align < 16 ? 16 : align), 0);
            ck_assert_uint_ge(mem_side_usable(p), size);
            memset(p, 0xff, mem_side_usable(p));
            ck_assert(mem_side_free(p));
        }
    ck_assert_uint_eq(mem_heapsize(), 0);
}
END_TEST

START_TEST(what_is_too_large_is_refused)
{
    static const size_t sizes[] = {MEM_WINDOW, PTRDIFF_MAX, SIZE_MAX,
                                   SIZE_MAX - 15};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        ck_assert_ptr_null(mem_side(16, sizes[i]));
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_ptr_null(mem_side((size_t)1 << 63, 1));
}
END_TEST

START_TEST(a_freed_block_is_used_again_and_is_none_until_then)
{
    char *p = mem_side(16, 100), *q = mem_side(16, 100);
    ck_assert(mem_side_free(p) && mem_side_free(q));
    ck_assert(!mem_side_free(p) && !mem_side_usable(q));
    ck_assert_ptr_eq(mem_side(16, 90), q);
    ck_assert_ptr_eq(mem_side(16, 80), p);
}
END_TEST

START_TEST(what_is_no_side_block_is_not_taken_for_one)
{
    char *record = mem_record(640), *side = mem_side(16, 1000);
    char *others[] = {NULL,
                      record,
                      record + 16,
                      sbrk_filled(64),
                      side + 16,
                      side - 16,
                      side + 1,
                      (char *)&record,
                      mem_range.records,
                      mem_range.base - 16};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        ck_assert_uint_eq(mem_side_usable(others[i]), 0);
        ck_assert(!mem_side_free(others[i]));
    }
}
END_TEST

START_TEST(blocks_for_later_come_back_once_all_of_them)
{
    void *blocks[3] = {mem_sbrk(64), mem_sbrk(64), mem_sbrk(64)};
    ck_assert_ptr_null(mem_later_take());
    for (int i = 0; i < 3; i++)
        mem_later(blocks[i]);
    void *p = mem_later_take();
    for (int i = 3; i-- > 0; p = *(void **)p)
        ck_assert_ptr_eq(p, blocks[i]);
    ck_assert_ptr_null(p);
    ck_assert_ptr_null(mem_later_take());
}
END_TEST

/* A head may be older than the blocks that it leads to. */
START_TEST(a_child_of_fork_begins_with_empty_stacks)
{
    char *p = mem_side(16, 100);
    mem_side_free(p);
    mem_later(mem_sbrk(64));
    pid_t child = fork();
    if (child == 0)
        _exit(mem_later_take() || mem_side(16, 100) == p);
    int status;
    waitpid(child, &status, 0);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(mem_side(16, 100), p);
}
END_TEST

#define NTHREADS 4
#define NTURNS 20000

/* Each block is one thread's at a time. */
static void *take_and_give(void *stamp)
{
    char *mine[3] = {NULL};
    for (unsigned i = 0; i < NTURNS; i++) {
        char **p = &mine[i % 3];
        for (int at = 0; *p && at < 200; at++)
            if ((*p)[at] != *(char *)stamp)
                return *p;
        if (*p && !mem_side_free(*p))
            return *p;
        *p = mem_side(16, 200);
        memset(*p, *(char *)stamp, 200);
    }
    return NULL;
}

START_TEST(threads_never_get_the_same_block)
{
    pthread_t threads[NTHREADS];
    char stamps[NTHREADS];
    for (int i = 0; i < NTHREADS; i++) {
        stamps[i] = (char)(i + 1);
        pthread_create(&threads[i], NULL, take_and_give, &stamps[i]);
    }
    for (int i = 0; i < NTHREADS; i++) {
        void *bad;
        pthread_join(threads[i], &bad);
        ck_assert_ptr_null(bad);
    }
    ck_assert_uint_le(mem_recordsize(), NTHREADS * 3 * 256);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        each_block_is_as_large_and_as_aligned_as_was_asked_for,
        what_is_too_large_is_refused,
        a_freed_block_is_used_again_and_is_none_until_then,
        what_is_no_side_block_is_not_taken_for_one,
        blocks_for_later_come_back_once_all_of_them,
        a_child_of_fork_begins_with_empty_stacks,
        threads_never_get_the_same_block,
        NULL};
    return run_tests("memlib-side", mem_begin, tests);
}
