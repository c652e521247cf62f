/* test_driver_mem.c - the driver's own memory. */
#include "driver/base/driver_mem.h"

#include "tests/run_tests.h"
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DMEM_EXIT 3

/* How many of n bytes are c. */
static size_t count(const char *p, size_t n, char c)
{
    size_t found = 0;
    for (size_t i = 0; i < n; i++)
        found += p[i] == c;
    return found;
}

START_TEST(memory_is_zeroed_and_aligned_to_a_cache_line)
{
    static const size_t sizes[] = {0, 1, 63, 64, 4096, 4097, 10000000};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *p = driver_mem_alloc(sizes[i]);
        ck_assert_uint_eq((uintptr_t)p % 64, 0);
        ck_assert_uint_eq(count(p, sizes[i], 0), sizes[i]);
        memset(p, 0xff, sizes[i]);
        driver_mem_free(p);
    }
}
END_TEST

START_TEST(blocks_do_not_overlap)
{
    char *a = driver_mem_alloc(5000), *b = driver_mem_alloc(5000);
    memset(a, 'a', 5000);
    memset(b, 'b', 5000);
    ck_assert_uint_eq(count(a, 5000, 'a'), 5000);
    ck_assert_uint_eq(count(b, 5000, 'b'), 5000);
    driver_mem_free(a);
    driver_mem_free(b);
}
END_TEST

/* Write through p in a child; does the parent see it? */
static int seen_by_parent(int *p)
{
    pid_t child = fork();
    if (child == 0) {
        *p = 42;
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    return *p;
}

START_TEST(shared_memory_is_shared_with_a_child_and_private_is_not)
{
    int fd;
    int *shared = driver_mem_shared(sizeof *shared, &fd);
    int *private = driver_mem_alloc(sizeof *private);
    ck_assert_int_eq(seen_by_parent(shared), 42);
    ck_assert_int_eq(seen_by_parent(private), 0);
    driver_mem_free(shared);
    driver_mem_free(private);
}
END_TEST

START_TEST(shared_memory_can_be_attached_by_its_file)
{
    int fd;
    int *shared = driver_mem_shared(2 * sizeof *shared, &fd);
    shared[1] = 42;
    int *attached = driver_mem_attach(fd);
    ck_assert_ptr_ne(shared, attached);
    ck_assert_int_eq(attached[1], 42);
    attached[0] = 7;
    ck_assert_int_eq(shared[0], 7);
    driver_mem_free(attached);
    driver_mem_free(shared);
    close(fd);
}
END_TEST

START_TEST(strdup_copies)
{
    char text[] = "text";
    char *copy = driver_mem_strdup(text);
    text[0] = 'n';
    ck_assert_str_eq(copy, "text");
    driver_mem_free(copy);
}
END_TEST

START_TEST(free_of_null_does_nothing)
{
    driver_mem_free(NULL);
    ck_assert_ptr_nonnull(driver_mem_alloc(1));
}
END_TEST

START_TEST(libc_does_not_notice)
{
    struct mallinfo2 before = mallinfo2();
    void *p = driver_mem_alloc(100);
    char *s = driver_mem_strdup("x");
    driver_mem_free(p);
    struct mallinfo2 after = mallinfo2();
    ck_assert_uint_eq(before.uordblks, after.uordblks);
    ck_assert_uint_eq(before.arena, after.arena);
    driver_mem_free(s);
}
END_TEST

START_TEST(no_memory_left_ends_with_status_3)
{
    driver_mem_alloc((size_t)1 << 60);
}
END_TEST

START_TEST(a_size_that_overflows_ends_with_status_3)
{
    driver_mem_alloc(SIZE_MAX - 10);
}
END_TEST

START_TEST(free_of_a_foreign_pointer_ends_with_status_3)
{
    static char foreign[256] __attribute__((aligned(64)));
    driver_mem_free(foreign + 128);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("driver_mem");
    TCase *tc = tcase_create("driver_mem");
    tcase_add_test(tc, memory_is_zeroed_and_aligned_to_a_cache_line);
    tcase_add_test(tc, blocks_do_not_overlap);
    tcase_add_test(tc, shared_memory_is_shared_with_a_child_and_private_is_not);
    tcase_add_test(tc, shared_memory_can_be_attached_by_its_file);
    tcase_add_test(tc, strdup_copies);
    tcase_add_test(tc, free_of_null_does_nothing);
    tcase_add_test(tc, libc_does_not_notice);
    tcase_add_exit_test(tc, no_memory_left_ends_with_status_3, DMEM_EXIT);
    tcase_add_exit_test(tc, a_size_that_overflows_ends_with_status_3,
                        DMEM_EXIT);
    tcase_add_exit_test(tc, free_of_a_foreign_pointer_ends_with_status_3,
                        DMEM_EXIT);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
