/* test_arena_gate.c - fork takes all locks though their threads take them again
 * and again: what they do while it waits is little. */
#include "tests/arena_variants.h"

#include <stdatomic.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSY 8   /* threads whose every call takes a lock */
#define FORKS 21 /* the median counts: now and then the forker is preempted */
#define MOST 100 /* calls of each, while one fork waits */

static _Atomic size_t calls;
static size_t calls_locked; /* when fork has all locks */
static atomic_bool stop;

static void *allocate(void *unused)
{
    while (!stop) {
        lab->free(lab->malloc(3000));
        atomic_fetch_add_explicit(&calls, 1, memory_order_relaxed);
    }
    return unused;
}

static void all_locked(void)
{
    calls_locked = calls;
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
    /* First registered: runs after the allocator's own has taken the locks. */
    ck_assert_int_eq(pthread_atfork(all_locked, NULL, NULL), 0);
    lab_begin(_i);
    for (int i = 0; i < BUSY; i++)
        busy[i] = thread_start(allocate, NULL);
    for (int i = 0; i < FORKS; i++) {
        size_t before = calls;
        while (calls < before + 1000) /* all are at it again */
            sched_yield();
        before = calls;
        pid_t child = fork();
        if (child == 0)
            _exit(0);
        meanwhile[i] = calls_locked - before;
        ck_assert_int_eq(waitpid(child, NULL, 0), child);
    }
    stop = true;
    for (int i = 0; i < BUSY; i++)
        thread_wait(busy[i]);
    qsort(meanwhile, FORKS, sizeof *meanwhile, by_size);
    if (getenv("SHOW_PEAKS"))
        printf("%-16s %zu calls\n", lab->name, meanwhile[FORKS / 2]);
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
