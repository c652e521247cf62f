/* test_fit_cas_threads.c - fit-cas under threads, in signal handlers, in
 * children of fork, and where memory ends. */
#include "tests/fit_cas_test.h"

#include "tests/limits.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>

/* ---- many threads ------------------------------------------------------ */

#define THREADS 8
#define LARGE (10 * mem_pagesize()) /* some pages lie inside it whole */

static void *churn(void *seed)
{
    enum { N = 64 };
    void *blocks[N] = {0};
    uint64_t state = 88172645463325252u + (uintptr_t)seed;
    int rounds = SANITIZED ? 4000 : 40000;
    for (int i = 0; i < rounds; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        void **b = &blocks[state >> 58];
        mm->free(*b);
        *b = take_block((state >> 33) % (i % 8 ? 300 : 30 * KIB));
        memset(*b, (int)i, 8);
    }
    for (int i = 0; i < N; i++)
        mm->free(blocks[i]);
    return NULL;
}

/* All ranges that touch have merged, also those of which each was inserted
 * while the other was: check says so (C2). */
START_TEST(what_threads_free_at_once_has_merged)
{
    pthread_t threads[THREADS];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < THREADS; i++)
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL, churn, (void *)i), 0);
        for (size_t i = 0; i < THREADS; i++)
            pthread_join(threads[i], NULL);
        ck_healthy();
    }
}
END_TEST

static volatile sig_atomic_t interrupts;

static void interrupt(int signal)
{
    (void)signal;
    char *p = mm->malloc(100 + (size_t)interrupts % 1000);
    if (!p)
        abort();
    memset(p, 'i', 100);
    mm->free(p);
    interrupts++;
}

START_TEST(a_signal_handler_may_allocate)
{
    enum { N = 100 };
    static void *blocks[N];
    struct itimerval every = {{0, 200}, {0, 200}}, never = {{0, 0}, {0, 0}};
    signal(SIGALRM, interrupt);
    setitimer(ITIMER_REAL, &every, NULL);
    for (size_t i = 0; interrupts < 1000; i = (i + 7) % N) {
        mm->free(blocks[i]);
        blocks[i] = take_block(i * 20);
    }
    setitimer(ITIMER_REAL, &never, NULL);
    signal(SIGALRM, SIG_IGN);
    ck_healthy();
}
END_TEST

static void *churn_for_ever(void *seed)
{
    for (;;)
        churn(seed);
    return NULL;
}

/* No lock is held by a thread that the child does not have. */
START_TEST(children_of_a_busy_process_allocate)
{
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, churn_for_ever, (void *)i), 0);
    for (int i = 0; i < 20; i++) {
        int status;
        pid_t child = fork();
        if (child == 0) {
            for (size_t size = 1; size < MIB; size *= 2)
                mm->free(mm->malloc(size));
            _exit(0);
        }
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert_int_eq(status, 0);
    }
}
END_TEST

static void (*in_madvise)(void); /* once */

int madvise(void *p, size_t size, int advice)
{
    void (*act)(void) = in_madvise;
    in_madvise = NULL;
    if (act)
        act();
    return (int)syscall(SYS_madvise, p, size, advice);
}

static void *appended;

/* What another thread could do, or a handler. */
static void append(void)
{
    appended = take_block(100);
    mm->free(take_block(LARGE)); /* its segment has a sentinel now */
}

/* In a child of fork a thread clears what it appends to the heap: others, who
 * go on behind, may have written there by then. */
START_TEST(what_is_appended_while_a_child_clears_its_own_stays)
{
    int status;
    take_block(100);
    pid_t child = fork();
    if (child == 0) {
        in_madvise = append;
        void *p = mm->malloc(LARGE);
        if (!p || in_madvise)
            _exit(1);
        mm->free(appended);
        mm->free(p);
        _exit(mm->check() ? 2 : 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}
END_TEST

/* ---- no memory --------------------------------------------------------- */

START_TEST(without_memory_for_nodes_free_makes_nodes_of_the_block)
{
    static void *blocks[100000];
    size_t n = 0;
    if (SANITIZED || !limits_hold())
        return;
    mm->fini();
    limit_data(48 * MIB);
    ck_assert_int_eq(mm->init(), 0);
    while ((blocks[n] = mm->malloc(1 * KIB)))
        n++;
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_uint_gt(n, 1000);
    while (pool_pop()) /* they are lost, to C4 alone */
        ;
    for (size_t i = 0; i < n; i += 2)
        mm->free(blocks[i]);
    for (size_t i = 1; i < n; i += 2)
        mm->free(blocks[i]);
    for (size_t i = 0; i < n / 2; i++)
        take_block(1 * KIB);
    check_and_listen(mm);
    ck_assert_ptr_null(strstr(said, "C1"));
    ck_assert_ptr_null(strstr(said, "C2"));
    ck_assert_ptr_null(strstr(said, "C3"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_threads_free_at_once_has_merged,
        a_signal_handler_may_allocate,
        children_of_a_busy_process_allocate,
        what_is_appended_while_a_child_clears_its_own_stays,
        without_memory_for_nodes_free_makes_nodes_of_the_block,
        NULL};
    return run_tests("fit-cas-threads", set_up, tests);
}
