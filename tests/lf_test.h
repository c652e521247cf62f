/* lf_test.h - the lock-free stage from inside, for the tests that stop it in
 * the middle: mm.c is compiled into the test, which sees its shards. */
#ifndef TESTS_LF_TEST_H
#define TESTS_LF_TEST_H

#define MM_STAGE "mm/lockfree/stage.h"
#define MM_ALLOCATOR mm_here
#include "mm.c"

#include "tests/arena_stress.h"
#include "tests/run_tests.h"
#include "tests/traps.h"

#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <ucontext.h>

/* Bytes of a block that no bin keeps, and the heap may hold. */
#define NO_BIN (2 * LARGE_BIN_MAX)

/* What another thread may ask, too. */
static inline bool thread_open(const struct shard *s)
{
    return __atomic_load_n(&thread_of(s)->open, __ATOMIC_SEQ_CST);
}

/* Is the calling thread in the middle of an operation of the allocator? */
static inline bool inside(void)
{
    return self() != &no_thread &&
           !__atomic_load_n(&self()->open, __ATOMIC_SEQ_CST);
}

static inline pid_t thread_id(void)
{
    return (pid_t)syscall(SYS_gettid);
}

static inline void signal_thread(pid_t thread, int number)
{
    syscall(SYS_tgkill, getpid(), thread, number);
}

/* A figure that makes the test longer: ENVIRONMENT=N, or usual. */
static inline unsigned figure(const char *name, unsigned usual)
{
    const char *value = getenv(name);
    return value ? (unsigned)strtoul(value, NULL, 10) : usual;
}

#endif
