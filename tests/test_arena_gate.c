/* test_arena_gate.c - fork takes all locks though their threads take them again
 * and again: what they do while it waits is little. */
#include "tests/arena_variants.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSY 8     /* threads whose every turn takes a lock */
#define SIZE 40000 /* one such block may wait in a bin, not two */
#define FORKS 21   /* the median counts: now and then the forker is preempted */
#define MOST 1000  /* turns of each, while one fork waits: a time slice */

static _Atomic size_t turns;
static size_t turns_before; /* fork takes the first lock */
static size_t turns_locked; /* when it has all */
static bool begun;          /* fork has, and has not got all */
static atomic_bool stop;

static void *allocate(void *unused)
{
    while (!stop) {
        void *first = lab->malloc(SIZE), *second = lab->malloc(SIZE);
        lab->free(first);
        lab->free(second);
        atomic_fetch_add_explicit(&turns, 1, memory_order_relaxed);
    }
    return unused;
}

/* The first handler of fork: not the time before, in which the forker may have
 * to wait for a processor. */
static void before_all(void)
{
    if (!begun)
        turns_before = turns;
    begun = true;
}

/* The last one. */
static void all_locked(void)
{
    turns_locked = turns;
    begun = false;
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

START_TEST(threads_at_work_do_not_keep_fork_waiting)
{
    size_t meanwhile[FORKS];
    pthread_t busy[BUSY];
    /* The allocator's own, which takes the locks, is registered between them:
     * what is registered first runs last. */
    ck_assert_int_eq(pthread_atfork(all_locked, NULL, NULL), 0);
    lab_begin(_i);
    ck_assert_int_eq(pthread_atfork(before_all, NULL, NULL), 0);
    for (int i = 0; i < BUSY; i++)
        busy[i] = thread_start(allocate, NULL);
    for (int i = 0; i < FORKS; i++) {
        size_t before = turns;
        while (turns < before + 1000) /* all are at it again */
            sched_yield();
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        meanwhile[i] = turns_locked - turns_before;
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    stop = true;
    for (int i = 0; i < BUSY; i++)
        thread_wait(busy[i]);
    qsort(meanwhile, FORKS, sizeof *meanwhile, by_size);
    if (getenv("SHOW_PEAKS"))
        printf("%-16s %zu turns\n", lab->name, meanwhile[FORKS / 2]);
    ck_assert_uint_lt(meanwhile[FORKS / 2], MOST * BUSY);
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {threads_at_work_do_not_keep_fork_waiting,
                                  NULL};
    return run_variants("arena-gate", tests);
}
