/* test_arena_order.c - the order of locks in a debug build of the arena stage:
 * all that it does keeps it, and a planted wrong order is seen at once. */
#ifndef MM_DEBUG
#define MM_DEBUG 1
#endif
#define MM_MAX_ARENAS 4 /* so that threads share, and ids are reclaimed */
#include "tests/arena_test.h"

#include "tests/arena_stress.h"
#include "tests/run_tests.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

static void *nothing(void *unused)
{
    return unused;
}

/* Locks are left out before the first thread. */
static void have_threads(void)
{
    in_thread(nothing, NULL);
    ck_assert(!__libc_single_threaded);
}

START_TEST(random_traffic_keeps_the_order_of_locks)
{
    stress(SANITIZED ? 4000 : 20000, 10);
    ck_assert_uint_eq(ranks_held, 0);
    ck_sound();
}
END_TEST

START_TEST(fork_adoption_and_reclaiming_give_all_locks_back)
{
    have_threads();
    take(100);
    for (int i = 0; i < 10; i++) {
        take_in_thread(1000);
        take(100000);
        ck_assert_uint_eq(ranks_held, 0);
    }
    lock_take(&registry.lock);
    shards_reclaim();
    lock_drop(&registry.lock);
    ck_assert_uint_eq(ranks_held, 0);
    pid_t pid = fork();
    if (pid == 0) {
        take(100000);
        _exit(ranks_held != 0 || lab->check() != 0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(ranks_held, 0);
    take(100000);
    ck_sound();
}
END_TEST

/* ---- planted mistakes ------------------------------------------------ */

static void shard_before_registry(void)
{
    lock_take(&self()->shard->lock);
    lock_take(&registry.lock);
}

static void two_shards_without_the_registry(void)
{
    lock_take(&shard_at(0)->lock);
    lock_take(&shard_at(1)->lock);
}

static void registry_twice(void)
{
    lock_take(&registry.lock);
    lock_take(&registry.lock);
}

static void reclaiming_under_a_shard(void)
{
    lock_take(&self()->shard->lock);
    shards_reclaim();
}

static void (*const mistakes[])(void) = {
    shard_before_registry,
    two_shards_without_the_registry,
    registry_twice,
    reclaiming_under_a_shard,
};

#define NMISTAKES (int)(sizeof mistakes / sizeof mistakes[0])

/* What the child says on stderr before it ends, and how it ends. */
static int watch(void (*mistake)(void), char *said, size_t size)
{
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        have_threads();
        dup2(fileno(log), STDERR_FILENO);
        mistake();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    rewind(log);
    said[fread(said, 1, size - 1, log)] = '\0';
    fclose(log);
    return status;
}

START_TEST(a_wrong_order_of_locks_is_named_and_ends_the_program)
{
    char said[4096];
    take(100);
    take_in_thread(100);
    int status = watch(mistakes[_i], said, sizeof said);
    ck_assert_msg(strstr(said, "mm: lock order") != NULL, "it said: %s", said);
    ck_assert(!(WIFEXITED(status) && WEXITSTATUS(status) == 0));
}
END_TEST

START_TEST(who_only_tries_may_hold_any_lock)
{
    have_threads();
    take(100);
    take_in_thread(100);
    lock_take(&shard_at(1)->lock);
    ck_assert(lock_try(&shard_at(0)->lock));
    ck_assert(lock_try(&registry.lock));
    lock_drop(&registry.lock);
    lock_drop(&shard_at(0)->lock);
    lock_drop(&shard_at(1)->lock);
    ck_assert_uint_eq(ranks_held, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena-order");
    TCase *tc = tcase_create("arena-order");
    tcase_add_checked_fixture(tc, here_begin, NULL);
    tcase_add_test(tc, random_traffic_keeps_the_order_of_locks);
    tcase_add_test(tc, fork_adoption_and_reclaiming_give_all_locks_back);
    tcase_add_loop_test(
        tc, a_wrong_order_of_locks_is_named_and_ends_the_program, 0, NMISTAKES);
    tcase_add_test(tc, who_only_tries_may_hold_any_lock);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
