/* forks.c - to be recorded: a child, its child, and what each inherited.
 *
 *   forks [raw]    raw: by the clone system call, unknown to libc
 *
 * The parent makes blocks of 100000 ... 100009 bytes; the child frees the even
 * ones and makes one of 200000; its child frees that one and 100001. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BLOCKS 10

static _Atomic int stop;

/* fork happens in the middle of other threads' operations. */
static void *busy(void *arg)
{
    while (!stop)
        free(malloc(3000));
    return arg;
}

static pid_t make_child(int raw)
{
    return raw ? (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) : fork();
}

static int wait_for(pid_t child)
{
    int status = -1;
    waitpid(child, &status, 0);
    return status;
}

int main(int argc, char **argv)
{
    int raw = argc > 1 && strcmp(argv[1], "raw") == 0;
    void *block[BLOCKS];
    pthread_t other;
    for (size_t i = 0; i < BLOCKS; i++)
        block[i] = malloc(100000 + i);
    if (!raw)
        pthread_create(&other, NULL, busy, NULL);
    pid_t child = make_child(raw);
    if (child == 0) {
        for (int i = 0; i < BLOCKS; i += 2)
            free(block[i]);
        void *p = malloc(200000);
        pid_t grandchild = make_child(raw);
        if (grandchild == 0) {
            free(p);
            free(block[1]);
            _exit(0);
        }
        _exit(wait_for(grandchild));
    }
    int status = wait_for(child);
    stop = 1;
    if (!raw)
        pthread_join(other, NULL);
    for (int i = 0; i < BLOCKS; i++)
        free(block[i]);
    return status;
}
