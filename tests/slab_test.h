/* slab_test.h - for the tests of slabs: an arena all of whose classes may earn
 * slabs, and the first blocks of one. */
#ifndef TESTS_SLAB_TEST_H
#define TESTS_SLAB_TEST_H

#include "tests/heap_test.h"

#include <signal.h>
#include <sys/wait.h>

/* A first block, so that the next ones begin within a page. */
static inline void slab_begin(void)
{
    arena_begin();
    arena.all_earn = true;
    take(2000, 'x');
}

/* Take blocks with headers until the class has earned a slab.
 * @return how many it took */
static inline size_t earn(unsigned c)
{
    size_t n = 0;
    for (; !arena_earns(&arena, c * ALIGN, c); n++)
        ck_assert_uint_eq(page_tag(take(c * ALIGN, 'x')), 0);
    return n;
}

/* @return the first block of the first slab of the class */
static inline char *first_in_slab(unsigned c)
{
    earn(c);
    ck_assert_uint_eq(arena.slabs.nslabs[c], 0);
    char *p = take(c * ALIGN, 'x');
    ck_assert_uint_eq(tag_class(page_tag(p)), c);
    return p;
}

static inline struct mem_page *slab_of(const void *p)
{
    return payload_slab(p);
}

/* In a process of its own, misuse ends in abort, after this line. */
static inline void ck_dies(void (*misuse)(void), const char *line)
{
    FILE *log = tmpfile();
    ck_assert_ptr_nonnull(log);
    pid_t child = fork();
    if (child == 0) {
        dup2(fileno(log), STDERR_FILENO);
        signal(SIGABRT, SIG_DFL);
        misuse();
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    rewind(log);
    said[fread(said, 1, sizeof said - 1, log)] = '\0';
    fclose(log);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
                  "no abort, but status %x; it said: %s", status, said);
    ck_assert_msg(strstr(said, line) != NULL, "expected '%s', but it said: %s",
                  line, said);
}

#endif
