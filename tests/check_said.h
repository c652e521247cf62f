/* check_said.h - what an allocator says on stderr, caught: does its check name
 * the damage that a test did, and does it die of misuse with the right line? */
#ifndef TESTS_CHECK_SAID_H
#define TESTS_CHECK_SAID_H

#include "mm.h"

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char said[1 << 14];

static inline FILE *stderr_to_file(int *stderr_fd)
{
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    fflush(stderr);
    *stderr_fd = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    return log;
}

static inline void stderr_again(FILE *log, int stderr_fd)
{
    dup2(stderr_fd, STDERR_FILENO);
    close(stderr_fd);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = '\0';
    fclose(log);
}

/* Run the check. @return how many invariants are broken; lines are in said */
static inline size_t check_and_listen(const struct mm_allocator *a)
{
    int stderr_fd;
    FILE *log = stderr_to_file(&stderr_fd);
    size_t bad = a->check();
    stderr_again(log, stderr_fd);
    return bad;
}

/* In a process of its own, misuse ends in abort, after this line. */
static inline void ck_dies(void (*misuse)(void), const char *line)
{
    int stderr_fd, status;
    FILE *log = stderr_to_file(&stderr_fd);
    pid_t child = fork();
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        misuse();
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    stderr_again(log, stderr_fd);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "no abort, but status %x; it said: %s", status, said);
    ck_assert_msg(strstr(said, line) != NULL, "expected '%s', but it said: %s",
                  line, said);
}

/* The check counts damage, and one of its lines starts with this invariant. */
#define ck_names(allocator, invariant)                                         \
    do {                                                                       \
        ck_assert_uint_ge(check_and_listen(allocator), 1);                     \
        ck_assert_msg(strstr(said, "mm_check: " invariant ":") != NULL,        \
                      "expected %s, but it said: %s", invariant, said);        \
    } while (0)

#endif
