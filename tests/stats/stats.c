/* stats.c - a program that is asked what its allocator has: tests/e2e_stats.py.
 *
 *   stats count    SIGUSR1 before, with, and after 1000 blocks of 1000 bytes
 *   stats storm    SIGUSR1 a thousand times while threads allocate and free
 *   stats stuck    one thread stops inside malloc for ever; then SIGUSR1
 *   stats forks    children of fork, made while SIGALRM comes, all end
 *   stats own      has a handler of its own for SIGUSR1
 *   stats wait     threads have blocks, and sleep; "ready" on standard output
 *   stats busy     the same, but they work
 *   stats name     its name has what a terminal must not get; then nothing
 *   stats elsewhere  changes its directory */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BLOCKS = 1000, THREADS = 4, REPORTS = 1000 };
static atomic_bool enough;
static atomic_int handled;

static int count(void)
{
    static char *blocks[BLOCKS];
    free(malloc(1000));
    raise(SIGUSR1);
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = memset(malloc(1000), 'x', 1000);
    raise(SIGUSR1);
    for (int i = 0; i < BLOCKS; i++)
        free(blocks[i]);
    raise(SIGUSR1);
    return 0;
}

static void *work(void *unused)
{
    char *blocks[200] = {0};
    unsigned random = (unsigned)(size_t)&unused;
    while (!enough) {
        random = random * 1664525 + 1013904223;
        char **p = &blocks[random / 65536 % 200];
        free(*p);
        *p = malloc(random % 4000);
    }
    for (int i = 0; i < 200; i++)
        free(blocks[i]);
    return NULL;
}

static int storm(void)
{
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < REPORTS; i++) {
        pthread_kill(threads[i % THREADS], SIGUSR1);
        usleep(200);
    }
    enough = true;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    return 0;
}

/* Wherever it is: mostly inside malloc or free, with a lock if there is one. */
static void stop(int number)
{
    (void)number;
    handled++;
    for (;;)
        pause();
}

static int stuck(void)
{
    pthread_t threads[THREADS];
    signal(SIGUSR2, stop);
    for (int i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    usleep(20000);
    for (int i = 0; i < THREADS; i++)
        pthread_kill(threads[i], SIGUSR2);
    while (handled < THREADS)
        usleep(100);
    raise(SIGUSR1);
    _exit(0);
}

static int forks(void)
{
    int failed = 0;
    struct itimerval often = {{0, 500}, {0, 500}};
    pthread_t thread;
    pthread_create(&thread, NULL, work, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int i = 0; i < 50; i++) {
        pid_t child = fork();
        if (child == 0) {
            setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
            free(malloc(100));
            exit(0);
        }
        int status;
        while (waitpid(child, &status, 0) < 0)
            ;
        failed += status != 0;
    }
    enough = true;
    pthread_join(thread, NULL);
    return failed != 0;
}

static pthread_barrier_t ready;

/* Blocks of its own and of others', freed and kept; then nothing for ever. */
static void *keep(void *index)
{
    enum { N = 3000 };
    static char *passed[THREADS][N];
    size_t me = (size_t)index, next = (me + 1) % THREADS;
    for (int i = 0; i < N; i++)
        passed[me][i] = malloc(i % 10 ? 20 + i % 5 * 150 : i);
    for (int i = 0; i < N; i += 7) {
        free(passed[me][i]);
        passed[me][i] = NULL;
    }
    pthread_barrier_wait(&ready);
    for (int i = 0; i < N; i += 3)
        free(passed[next][i]);
    pthread_barrier_wait(&ready);
    for (;;)
        pause();
}

static int wait_for_ever(bool busy)
{
    pthread_t thread;
    pthread_barrier_init(&ready, NULL, THREADS + 1);
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&thread, NULL, busy ? work : keep, (void *)i);
    if (!busy) {
        void *volatile p = malloc(10 << 20);
        for (int i = 0; i < 3; i++) {
            p = malloc(20 << 20);
            free(p);
        }
        pthread_barrier_wait(&ready);
        pthread_barrier_wait(&ready);
    }
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 1;
    for (;;)
        pause();
}

static int be_named(const char *name)
{
    free(malloc(100));
    prctl(PR_SET_NAME, name, 0, 0, 0);
    if (write(STDOUT_FILENO, "ready\n", 6) != 6)
        return 1;
    for (;;)
        pause();
}

static void own(int number)
{
    handled += number == SIGUSR1;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    if (strcmp(what, "count") == 0)
        return count();
    if (strcmp(what, "storm") == 0)
        return storm();
    if (strcmp(what, "stuck") == 0)
        return stuck();
    if (strcmp(what, "forks") == 0)
        return forks();
    if (strcmp(what, "own") == 0) {
        signal(SIGUSR1, own);
        raise(SIGUSR1);
        raise(SIGUSR2); /* ignored by who started this */
        return handled != 1;
    }
    if (strcmp(what, "elsewhere") == 0)
        return chdir("/");
    if (strcmp(what, "wait") == 0 || strcmp(what, "busy") == 0)
        return wait_for_ever(what[0] == 'b');
    if (strcmp(what, "name") == 0)
        return be_named("\033[2Jx\xc3\xa9");
    if (strcmp(what, "nothing") == 0)
        return 0;
    return 2;
}
