/* check.h - what the checks of the lessons have in common.
 *
 * A check is a function; each runs in a process of its own, so that one that
 * crashes or hangs takes no other with it. The first EXPECT that does not hold
 * ends it. Lines: `ok - name` or `not ok - name: what was found`. */
#ifndef COURSE_CHECKS_CHECK_H
#define COURSE_CHECKS_CHECK_H

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK_SECONDS 120 /* what waits for so long waits for ever */
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct check {
    const char *name;
    void (*run)(void);
};

#define EXPECT(condition, ...)                                                 \
    do {                                                                       \
        if (!(condition)) {                                                    \
            fprintf(stderr, __VA_ARGS__);                                      \
            _exit(1);                                                          \
        }                                                                      \
    } while (0)

/* What the child said, its last line first to be seen: at most one buffer. */
static inline void check_say(const struct check *c, int status, char *said)
{
    for (char *p = said; *p; p++)
        if (*p == '\n')
            *p = p[1] ? ';' : '\0';
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        printf("ok - %s\n", c->name);
    else if (WIFEXITED(status))
        printf("not ok - %s: %s\n", c->name, said);
    else if (WTERMSIG(status) == SIGALRM)
        printf("not ok - %s: it hangs %s\n", c->name, said);
    else
        printf("not ok - %s: it ends by signal %d (%s) %s\n", c->name,
               WTERMSIG(status), strsignal(WTERMSIG(status)), said);
    fflush(stdout);
}

static inline bool check_one(const struct check *c)
{
    int fd[2], status = 0;
    char said[2000] = "", rest[512];
    size_t n = 0;
    if (pipe(fd) != 0)
        exit(2);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fd[1], STDERR_FILENO);
        close(fd[0]);
        alarm(CHECK_SECONDS);
        c->run();
        _exit(0);
    }
    close(fd[1]);
    for (ssize_t got = 1; got > 0;) {
        bool room = n < sizeof said - 1;
        got = read(fd[0], room ? said + n : rest,
                   room ? sizeof said - 1 - n : sizeof rest);
        n += room && got > 0 ? (size_t)got : 0;
    }
    waitpid(pid, &status, 0);
    close(fd[0]);
    check_say(c, status, said);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* @return the exit status: 0 if all passed */
static inline int check_all(const struct check *checks, size_t n)
{
    size_t good = 0;
    for (size_t i = 0; i < n; i++)
        good += check_one(&checks[i]);
    printf("%zu passed, %zu failed\n", good, n - good);
    return good != n;
}

#endif
