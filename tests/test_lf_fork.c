/* test_lf_fork.c - children made by _Fork in a handler that interrupted the
 * allocator, while other threads are inside it: all that was handed over is
 * whole, everything works, in grandchildren too. */
#include "tests/lf_test.h"

#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#define NTHREADS 2
#define FORKS (SANITIZED ? 10 : 100)

static atomic_bool over;
static atomic_int forks, forks_inside;
static _Atomic(pid_t) forker;

/* Of a child: what others were doing stays undone; what lay in the mailboxes is
 * checked and freed, and new traffic is right. */
static void use_all(void)
{
    static struct stress fresh = {.random = 99};
    stress_empty_inboxes();
    for (int i = 0; i < 2000; i++)
        stress_step(&fresh);
    stress_empty(&fresh);
    stress_empty_inboxes();
    lab->free(lab->malloc((size_t)4 << 20));
}

/* ThreadSanitizer does not see _Fork: there an acquire or a release takes a
 * lock of its own, which another thread may have held, and then the child waits
 * for ever. It has no second thread to race with, so it ends at once; not by
 * _exit, which is ThreadSanitizer's, too. */
static void end_child(void)
{
    syscall(SYS_exit_group, 0);
}

static int status_of_child(pid_t pid)
{
    int status;
    return waitpid(pid, &status, 0) == pid ? status : -1;
}

static void fork_here(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    int saved = errno;
    bool was_inside = inside();
    pid_t pid = _Fork();
    if (pid == 0) {
        if (THREAD_SANITIZED)
            end_child();
        use_all();
        pid_t grandchild = _Fork();
        if (grandchild == 0) {
            use_all();
            _exit(0);
        }
        _exit(status_of_child(grandchild) == 0 ? 0 : 2);
    }
    demand(pid > 0);
    demand(status_of_child(pid) == 0);
    forks_inside += was_inside;
    forks++;
    errno = saved;
}

static void *run_traffic(void *random)
{
    struct stress s = {.random = (uintptr_t)random};
    if (random == NULL)
        forker = thread_id();
    while (!over)
        stress_step(&s);
    stress_empty(&s);
    return NULL;
}

/* None has met the thread inside: ThreadSanitizer lets no signal do so. */
static bool more_wanted(int n)
{
    return !THREAD_SANITIZED && forks_inside == 0 && n < 100 * FORKS;
}

START_TEST(a_handler_may_fork_wherever_it_interrupts)
{
    pthread_t threads[NTHREADS];
    uint64_t random = 0;
    handle(SIGUSR1, fork_here);
    for (size_t i = 0; i < NTHREADS; i++)
        threads[i] = thread_start(run_traffic, (void *)i);
    while (!forker)
        sched_yield();
    for (int n = 0; n < FORKS || more_wanted(n); n++) {
        for (uint64_t k = next_random(&random) % 5000; k > 0; k--)
            atomic_signal_fence(memory_order_seq_cst);
        signal_thread(forker, SIGUSR1);
        while (forks <= n)
            sched_yield();
    }
    over = true;
    for (int i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
    ck_assert(THREAD_SANITIZED || forks_inside > 0);
    stress_empty_inboxes();
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {a_handler_may_fork_wherever_it_interrupts,
                                  NULL};
    return run_tests("lf-fork", here_begin, tests);
}
