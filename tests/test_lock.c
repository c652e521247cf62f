/* test_lock.c - the lock: one holder at a time, sleepers that wake, and a
 * thread that meets its own. */
#include "mm/lock.h"

#include "tests/limits.h"
#include "tests/run_tests.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>

#define CREW 8
#define TURNS (SANITIZED ? 2000 : 20000)

static struct lock lock;
static size_t count; /* under the lock */
static atomic_int ready;

static void *nothing(void *unused)
{
    return unused;
}

/* Before the first thread locks are left out. */
static void begin(void)
{
    pthread_t thread;
    bool alone = single_threaded(); /* but a sanitizer has a thread */
    lock_take_as(&lock, RANK_NONE);
    ck_assert(alone == (lock.holder == 0));
    lock_drop(&lock);
    ck_assert_int_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
    pthread_join(thread, NULL);
}

static void *add(void *how)
{
    for (int i = 0; i < TURNS; i++) {
        if (!how)
            lock_take_as(&lock, RANK_NONE);
        while (how && !lock_try(&lock))
            sched_yield();
        count++;
        if (i % 64 == 0)
            sched_yield(); /* so that others sleep */
        lock_drop(&lock);
    }
    return how;
}

START_TEST(threads_come_one_after_the_other_and_none_sleeps_for_ever)
{
    pthread_t crew[CREW];
    for (int i = 0; i < CREW; i++)
        ck_assert_int_eq(pthread_create(&crew[i], NULL, add, i % 4 ? NULL : &i),
                         0);
    for (int i = 0; i < CREW; i++)
        pthread_join(crew[i], NULL);
    ck_assert_uint_eq(count, (size_t)CREW * TURNS);
    ck_assert_uint_eq(lock.holder, 0);
}
END_TEST

static void *wait_for_it(void *unused)
{
    errno = 77;
    ready = 1;
    lock_take_as(&lock, RANK_NONE);
    lock_drop(&lock);
    return errno == 77 ? unused : &lock;
}

static pthread_t have_sleeper(void)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_for_it, NULL), 0);
    while (!(lock.holder & SLEEPERS))
        sched_yield();
    return thread;
}

START_TEST(who_waits_sleeps_and_errno_stays)
{
    void *result;
    lock_take_as(&lock, RANK_NONE);
    pthread_t sleeper = have_sleeper();
    ck_assert(!lock_try(&lock));
    errno = 78;
    lock_drop(&lock);
    ck_assert_int_eq(errno, 78);
    pthread_join(sleeper, &result);
    ck_assert_ptr_null(result);
}
END_TEST

/* As by a thread that left lock_drop before its last step. */
START_TEST(who_is_not_woken_looks_again)
{
    lock_take_as(&lock, RANK_NONE);
    pthread_t sleeper = have_sleeper();
    lock.holder = 0;
    pthread_join(sleeper, NULL);
    ck_assert_uint_eq(lock.holder, 0);
}
END_TEST

/* @return how a child ends that takes its own lock */
static int take_twice(char *said, size_t size)
{
    int end[2], status;
    ck_assert_int_eq(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], STDERR_FILENO);
        lock_take_as(&lock, RANK_NONE);
        lock_take_as(&lock, RANK_NONE);
        _exit(0);
    }
    close(end[1]);
    ssize_t n = read(end[0], said, size - 1);
    said[n > 0 ? n : 0] = '\0';
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    close(end[0]);
    return status;
}

START_TEST(who_meets_its_own_lock_dies_with_a_line)
{
    char said[300];
    int status = take_twice(said, sizeof said);
    ck_assert_msg(strstr(said, "inside malloc or free already"), "%s", said);
    ck_assert_msg(strchr(said, '\n'), "the line is cut: %s", said);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        threads_come_one_after_the_other_and_none_sleeps_for_ever,
        who_waits_sleeps_and_errno_stays, who_is_not_woken_looks_again,
        who_meets_its_own_lock_dies_with_a_line, NULL};
    return run_tests("lock", begin, tests);
}
