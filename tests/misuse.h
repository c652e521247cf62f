/* misuse.h - calls with what is no large block, in a child that dies of them.
 * To be included after the header that says which allocator is `mm`. */
#ifndef TESTS_MISUSE_H
#define TESTS_MISUSE_H

#include "config.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static inline void give(char *p)
{
    mm->free(p);
}

static inline void give_twice(char *p)
{
    mm->free(p);
    mm->free(p);
}

static inline void resize(char *p)
{
    mm->realloc(p, 6 * HUGE_OVER);
}

static inline void measure(char *p)
{
    mm->usable_size(p);
}

/* In a child: it dies of an abort, after a line that has the word in it. */
static inline void ck_dies(void (*act)(char *), char *p, const char *word)
{
    char line[300] = "";
    int end[2], status;
    ck_assert_int_eq(pipe(end), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(end[1], STDERR_FILENO);
        act(p);
        _exit(0);
    }
    close(end[1]);
    ck_assert_int_ge(read(end[0], line, sizeof line - 1), 0);
    close(end[0]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "%s: the status is %#x", mm->name, (unsigned)status);
    ck_assert_msg(strstr(line, word), "%s: it said %s", mm->name, line);
}

#endif
