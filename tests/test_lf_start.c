/* test_lf_start.c - the lock-free stage's very first call: in a handler that
 * interrupted it, with no key left to see threads end, more than once. */
#include "tests/lf_test.h"

#include <limits.h>
#include <sys/mman.h>

/* ---- interrupted ----------------------------------------------------- */

static bool armed;
static void *from_handler;

/* In place of the C library's, for memlib: a signal comes just then. (But
 * ThreadSanitizer has one of its own, and keeps signals back.) */
#if !THREAD_SANITIZED
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t off)
{
    if (armed) {
        armed = false;
        raise(SIGUSR1);
    }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, off);
}
#endif

static void take_one(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    from_handler = mm_here.malloc(1000);
}

START_TEST(a_handler_may_allocate_in_the_middle_of_the_first_malloc)
{
    if (THREAD_SANITIZED)
        return;
    handle(SIGUSR1, take_one);
    armed = true;
    void *p = mm_here.malloc(1000);
    ck_assert(!armed);
    ck_assert(mm_here.contains(p, 1000));
    ck_assert(mm_here.contains(from_handler, 1000));
    mm_here.free(p);
    mm_here.free(from_handler);
    ck_assert_uint_lt(mm_here.used(), 1000);
    ck_assert_uint_eq(mm_here.check(), 0);
}
END_TEST

START_TEST(the_first_malloc_leaves_the_signal_mask_as_it_was)
{
    sigset_t before, after;
    sigemptyset(&before);
    sigaddset(&before, SIGUSR2);
    sigprocmask(SIG_SETMASK, &before, NULL);
    mm_here.free(mm_here.malloc(10));
    sigprocmask(SIG_SETMASK, NULL, &after);
    for (int i = 1; i < 32; i++)
        ck_assert_int_eq(sigismember(&before, i), sigismember(&after, i));
}
END_TEST

/* ---- keys ------------------------------------------------------------ */

static void *take_and_end(void *size)
{
    void *p = mm_here.malloc((size_t)(uintptr_t)size);
    demand(p);
    mm_here.free(mm_here.malloc((size_t)(uintptr_t)size));
    return p;
}

START_TEST(a_program_may_have_used_up_all_keys)
{
    static pthread_key_t keys[PTHREAD_KEYS_MAX];
    int n = 0;
    while (n < PTHREAD_KEYS_MAX && pthread_key_create(&keys[n], NULL) == 0)
        n++;
    void *p = mm_here.malloc(1000);
    ck_assert_ptr_nonnull(p);
    for (int i = 0; i < n; i++)
        ck_assert_ptr_null(pthread_getspecific(keys[i]));
    for (int i = 0; i < 100; i++)
        mm_here.free(in_thread(take_and_end, (void *)(uintptr_t)100000));
    mm_here.free(p);
    mm_here.trim(); /* who ended is as one who sleeps */
    ck_assert_uint_lt(mm_here.used(), 100000);
    ck_assert_uint_eq(mm_here.check(), 0);
}
END_TEST

START_TEST(init_may_come_again)
{
    void *p = mm_here.malloc(1000);
    for (int i = 0; i < 2 * PTHREAD_KEYS_MAX; i++)
        ck_assert_int_eq(mm_here.init(), 0);
    pthread_key_t key;
    ck_assert_int_eq(pthread_key_create(&key, NULL), 0);
    mm_here.free(in_thread(take_and_end, (void *)(uintptr_t)1000));
    ck_assert_int_eq(status_of(state_get(shard_at(1))), ORPHAN);
    mm_here.free(p);
    ck_assert_uint_eq(mm_here.check(), 0);
}
END_TEST

START_TEST(init_may_come_after_fini)
{
    for (int i = 0; i < 2 * PTHREAD_KEYS_MAX; i++) {
        ck_assert_int_eq(mm_here.init(), 0);
        mm_here.free(mm_here.malloc(1000));
        mm_here.fini();
    }
}
END_TEST

static void nothing_first(void)
{
}

int main(void)
{
    const TTest *const tests[] = {
        a_handler_may_allocate_in_the_middle_of_the_first_malloc,
        the_first_malloc_leaves_the_signal_mask_as_it_was,
        a_program_may_have_used_up_all_keys,
        init_may_come_again,
        init_may_come_after_fini,
        NULL};
    return run_tests("lf-start", nothing_first, tests);
}
