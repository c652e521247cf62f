/* test_mm_jump.c - signal handlers that leave malloc by siglongjmp, in each
 * stage: the thread goes on, or dies with a line; it never waits for itself.
 * What the lock-free stage does of it from inside: test_lf_jump.c. */
#include "tests/jump.h"
#include "tests/limits.h"
#include "tests/mm_test.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define NO_BIN (2 * MIB) /* bytes: no bin has such a block, nor a mapping */

static void *nothing(void *unused)
{
    return unused;
}

/* Without a second thread no lock is taken. */
static void have_threads(void)
{
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, nothing, NULL), 0);
    pthread_join(thread, NULL);
}

static void use(void)
{
    for (size_t size = 1; size < 100 * KIB; size = size * 3 / 2 + 7) {
        char *p = mm->malloc(size);
        p[0] = p[size - 1] = 'u';
        mm->free(p);
    }
    mm->free(mm->malloc(NO_BIN));
}

/* Leave a malloc and a free at step n, and allocate. @return exit status: 0, or
 * 1 if they ended before */
static int leave_at(unsigned n)
{
    last_step = n;
    if (!sigsetjmp(out, 1)) {
        raise(SIGUSR1);
        mm->free(mm->malloc(NO_BIN));
        last_step = steps + 1;
        return 1;
    }
    use();
    return 0;
}

/* The same in a child. @return its status; what it said is in `said` */
static int child_leaves_at(unsigned n, char *said, size_t size)
{
    int end[2], status;
    ck_assert_int_eq(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        have_threads();
        dup2(end[1], STDERR_FILENO);
        _exit(leave_at(n));
    }
    close(end[1]);
    ssize_t got = read(end[0], said, size - 1);
    said[got > 0 ? got : 0] = '\0';
    close(end[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

/* At each instruction; with a lock held the line is the lock's. Bins that were
 * left half changed have another, at the worst. */
START_TEST(who_leaves_malloc_by_a_jump_goes_on_or_has_a_line)
{
    char said[300];
    unsigned met_lock = 0, went_on = 0;
    if (SANITIZED)
        return;
    begin(_i);
    handle(SIGUSR1, step_start);
    handle(SIGTRAP, step);
    use();
    for (unsigned n = 1;; n += 1 + n / 64) {
        int status = child_leaves_at(n, said, sizeof said);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 1)
            break;
        bool line = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
                    strncmp(said, "mm: ", 4) == 0;
        ck_assert_msg(line || status == 0, "%s, step %u: status %#x, said '%s'",
                      mm->name, n, (unsigned)status, said);
        met_lock += strstr(said, "inside malloc or free already") != NULL;
        went_on += status == 0;
    }
    ck_assert_uint_gt(went_on, 20);
    if (mm == &mm_lockfree)
        ck_assert_uint_eq(met_lock, 0);
    else
        ck_assert_uint_gt(met_lock, 20);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_leaves_malloc_by_a_jump_goes_on_or_has_a_line, NULL};
    return run_stage_tests("mm-jump", tests);
}
