/* launch.c - runs a program under an allocator and measures it from outside.
 *
 *   launch RESULT LIBRARY SECONDS PROGRAM [ARGUMENT]...
 *
 * LIBRARY goes into LD_PRELOAD of the program alone; `-`: none. RESULT gets one
 * line: how it ended, wall clock seconds, processor seconds, and the peak of
 * resident bytes of the largest process. How: `ok`, `exit N`, a signal's name
 * (`crash` without the reason is no help), or `hang`: it slept for SECONDS, or
 * used as many of each processor. A busy machine makes no hang.
 *
 * A program of its own, and small: a child's peak starts with what its parent
 * had resident, and that must be less than any program has. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define IDLE_SHARE 0.01 /* of a processor: who uses less sleeps */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "launch: %s: %s\n", what, strerror(errno));
    exit(2);
}

static _Noreturn void become(const char *library, char **argv, sigset_t *mask)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sigprocmask(SIG_UNBLOCK, mask, NULL);
    setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
    if (strcmp(library, "-") != 0 && setenv("LD_PRELOAD", library, 1) != 0)
        fail("LD_PRELOAD");
    execvp(argv[0], argv);
    fail(argv[0]);
}

/* Processor seconds of pid, without its children. */
static double used_by(pid_t pid)
{
    clockid_t clock;
    struct timespec t = {0, 0};
    if (clock_getcpuclockid(pid, &clock) == 0)
        clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Looks ten times in a limit. @return whether it had to be killed. */
static bool wait_for(pid_t pid, double limit, const sigset_t *mask)
{
    const double look = limit / 10;
    const double most = limit * (double)sysconf(_SC_NPROCESSORS_ONLN);
    double moved = now(), used = 0;
    siginfo_t info = {0};
    while (now() - moved < limit && used < most) {
        struct timespec t = {(time_t)look, (long)(1e9 * (look - (time_t)look))};
        sigtimedwait(mask, NULL, &t); /* SIGCHLD, or the time is up */
        if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid)
            return false;
        double next = used_by(pid);
        if (next - used > IDLE_SHARE * look)
            moved = now();
        used = next;
    }
    kill(pid, SIGKILL);
    return true;
}

static void say_end(FILE *f, int status, bool hangs)
{
    if (hangs)
        fputs("hang", f);
    else if (WIFSIGNALED(status))
        fprintf(f, "SIG%s", sigabbrev_np(WTERMSIG(status)));
    else if (WEXITSTATUS(status))
        fprintf(f, "exit %d", WEXITSTATUS(status));
    else
        fputs("ok", f);
}

int main(int argc, char **argv)
{
    sigset_t mask;
    if (argc < 5) {
        fputs("usage: launch RESULT LIBRARY SECONDS PROGRAM...\n", stderr);
        return 2;
    }
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    double start = now();
    pid_t pid = fork();
    if (pid < 0)
        fail("fork");
    if (pid == 0)
        become(argv[2], argv + 4, &mask);
    bool hangs = wait_for(pid, atoi(argv[3]), &mask);
    int status;
    struct rusage used;
    wait4(pid, &status, 0, &used);
    double elapsed = now() - start;
    FILE *f = fopen(argv[1], "we");
    if (!f)
        fail(argv[1]);
    say_end(f, status, hangs);
    fprintf(f, ",%.6f,%.6f,%ld\n", elapsed,
            seconds(used.ru_utime) + seconds(used.ru_stime),
            used.ru_maxrss * 1024);
    return fclose(f) == 0 ? 0 : 2;
}
