/* thread.c - the library's own thread (MM_BACKGROUND=1) is as good as not
 * there: signals, fork, daemons, exit. Prints `ok - WHAT` lines. */
#include <dirent.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIGNALS 200
#define CHILDREN 20

static int failed;

static void said(int well, const char *what)
{
    printf("%sok - %s\n", well ? "" : "not ", what);
    fflush(stdout);
    failed |= !well;
}

/* Threads of this process; how many are named libmm. */
static int threads(int *named)
{
    int n = 0;
    *named = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *d; tasks && (d = readdir(tasks));) {
        char path[300], name[20] = "";
        if (d->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "/proc/self/task/%s/comm", d->d_name);
        FILE *f = fopen(path, "r");
        if (f && fgets(name, sizeof name, f))
            *named += strcmp(name, "libmm\n") == 0;
        if (f)
            fclose(f);
        n++;
    }
    if (tasks)
        closedir(tasks);
    return n;
}

/* It names itself in its first steps. */
static int has_one(void)
{
    int named = 0, n = 2;
    for (int i = 0; i < 3000 && named != 1 && n == 2; i++) {
        n = threads(&named);
        usleep(named ? 0 : 10000);
    }
    return n == 2 && named == 1;
}

static pthread_t main_thread;
static volatile sig_atomic_t on_main, elsewhere;

static void handler(int signal)
{
    (void)signal;
    if (pthread_equal(pthread_self(), main_thread))
        on_main++;
    else
        elsewhere++;
}

/* While main has it blocked, a signal to the process waits for main. */
static void signals_are_mains(void)
{
    sigset_t usr1, none;
    signal(SIGUSR1, handler);
    sigemptyset(&none);
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    for (int i = 0; i < SIGNALS; i++) {
        kill(getpid(), SIGUSR1);
        sigsuspend(&none);
    }
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    said(on_main == SIGNALS && !elsewhere, "signals come to main");
}

static int ends_well(pid_t child)
{
    int status = 1;
    return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

static void children_have_one(void)
{
    int well = 1;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0)
            _exit(!has_one());
        well &= ends_well(child);
    }
    said(well, "each child of fork has its own");
}

/* As daemon(3): main ends, its child goes on; and says so through a pipe. */
static void daemons_have_one(void)
{
    int ends[2];
    char answer = 'n';
    if (pipe(ends) || fork() == 0) {
        setsid();
        if (fork() == 0) {
            answer = has_one() ? 'y' : 'n';
            _exit(write(ends[1], &answer, 1) != 1);
        }
        _exit(0);
    }
    close(ends[1]);
    said(read(ends[0], &answer, 1) == 1 && answer == 'y', "so has a daemon");
    wait(NULL);
}

static void *sleep_a_little(void *unused)
{
    usleep(50000);
    return unused;
}

/* The process ends with its last thread, of the program's own. */
static void ends_with_the_last(void)
{
    pid_t child = fork();
    if (child == 0) {
        pthread_t thread;
        pthread_create(&thread, NULL, sleep_a_little, NULL);
        pthread_exit(NULL);
    }
    said(ends_well(child), "the process ends when the program's threads have");
}

static void nobody_waits_for_it(void)
{
    int well = 1;
    for (int i = 0; i < CHILDREN; i++) {
        pid_t child = fork();
        if (child == 0)
            exit(0);
        well &= ends_well(child);
    }
    said(well, "exit does not wait for it");
}

/* libc asks each thread to change its ids, by a signal of its own. */
static void ids_can_change(void)
{
    pid_t child = fork();
    if (child == 0)
        _exit(!has_one() || setgid(getgid()) || setuid(getuid()));
    said(ends_well(child), "setuid does not wait for it");
}

int main(void)
{
    main_thread = pthread_self();
    said(has_one(), "there is one thread, named libmm");
    signals_are_mains();
    children_have_one();
    daemons_have_one();
    ends_with_the_last();
    nobody_waits_for_it();
    ids_can_change();
    return failed;
}
