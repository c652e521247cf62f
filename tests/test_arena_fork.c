/* test_arena_fork.c - fork while other threads are inside the allocator: the
 * child has whole arenas, also those of threads that it has not. */
#include "tests/arena_variants.h"
#include "tests/limits.h"
#include "tests/run_tests.h"

#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#define NTHREADS 4
#define NHELD 200

/* Blocks of each thread; the forking thread may free what is there. */
static void *_Atomic held[NTHREADS][NHELD];
static atomic_bool over;

static void put(int thread, size_t slot, void *p)
{
    lab->free(atomic_exchange(&held[thread][slot], p));
}

/* Allocates, frees, and hands over without pause. */
static void *run_traffic(void *arg)
{
    int me = (int)(intptr_t)arg;
    uint64_t random = (uint64_t)me;
    while (!atomic_load(&over)) {
        uint64_t r = next_random(&random);
        size_t size = r % 16 ? r >> 8 & 0x1ff : r >> 8 & 0xffff;
        void *p = lab->malloc(size);
        demand(p);
        memset(p, me, size);
        put(r >> 40 & 1 ? me : (int)(r >> 41) % NTHREADS, (r >> 32) % NHELD, p);
    }
    return NULL;
}

static void *use_some(void *unused)
{
    (void)unused;
    void *p[100];
    for (size_t i = 0; i < 100; i++)
        if (!(p[i] = lab->malloc(i * 100)))
            _exit(11);
    for (size_t i = 0; i < 100; i++)
        lab->free(p[i]);
    return NULL;
}

static void child_threads(void)
{
    pthread_t threads[NTHREADS];
    for (int i = 0; i < NTHREADS; i++)
        if (pthread_create(&threads[i], NULL, use_some, NULL))
            _exit(12);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
}

/* Not under sanitizers, whose own locks fork does not wait for. */
static bool threads_in_children;

/* All that may be done in a child; _exit(why) if it goes wrong. */
static void use_all(void)
{
    if (lab->check())
        _exit(10);
    use_some(NULL);
    for (int t = 0; t < NTHREADS; t++)
        for (size_t i = 0; i < NHELD; i += 2)
            put(t, i, lab->malloc(i));
    if (threads_in_children)
        child_threads();
    if (lab->check())
        _exit(13);
}

static _Noreturn void child(void)
{
    use_all();
    pid_t pid = fork();
    if (pid == 0) {
        use_all();
        _exit(0);
    }
    int status;
    _exit(waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 14);
}

/* The child asks nothing of Check, whose lock a thread may hold that the child
 * has not: one that has just started another, say. */
static void fork_and_wait(void)
{
    pid_t pid = fork();
    if (pid == 0)
        child();
    ck_assert_int_ge(pid, 0);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_msg(!WIFSIGNALED(status), "the child ended by signal %d",
                  WTERMSIG(status));
    ck_assert_int_eq(WEXITSTATUS(status), 0);
}

START_TEST(a_child_of_a_busy_process_can_do_all_that_its_parent_could)
{
    pthread_t threads[NTHREADS];
    threads_in_children = !SANITIZED && !emulated();
    lab_begin(_i);
    for (int i = 0; i < NTHREADS; i++)
        threads[i] = thread_start(run_traffic, (void *)(intptr_t)i);
    for (int i = 0; i < (SANITIZED ? 5 : 15); i++)
        fork_and_wait();
    atomic_store(&over, true);
    for (int i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
    for (int t = 0; t < NTHREADS; t++)
        for (size_t i = 0; i < NHELD; i++)
            put(t, i, NULL);
    lab_end();
}
END_TEST

static void *fork_from_thread(void *unused)
{
    fork_and_wait(); /* this thread has no arena yet */
    lab->free(lab->malloc(100));
    fork_and_wait(); /* now it has */
    return unused;
}

START_TEST(any_thread_may_fork_with_an_arena_or_without)
{
    threads_in_children = !SANITIZED && !emulated();
    lab_begin(_i);
    for (int t = 0; t < NTHREADS; t++)
        for (size_t i = 0; i < NHELD; i++)
            put(t, i, lab->malloc(i));
    fork_and_wait(); /* with one thread: no lock is taken */
    in_thread(fork_from_thread, NULL);
    fork_and_wait();
    lab_end();
}
END_TEST

static pthread_barrier_t asleep;

/* Has much free memory, and lives on. */
static void *sleep_on_memory(void *unused)
{
    lab->free(lab->malloc(1 << 20));
    pthread_barrier_wait(&asleep);
    pthread_barrier_wait(&asleep);
    return unused;
}

START_TEST(a_child_inherits_the_memory_of_the_threads_that_it_has_not)
{
    struct mm_stats before, after;
    lab_begin(_i);
    lab->free(lab->malloc(2000));
    pthread_barrier_init(&asleep, NULL, 2);
    pthread_t thread = thread_start(sleep_on_memory, NULL);
    pthread_barrier_wait(&asleep);
    pid_t pid = fork();
    if (pid == 0) {
        lab->stats(&before);
        if (!lab->malloc(1 << 19))
            _exit(1);
        lab->stats(&after);
        bool grown = after.heap != before.heap;
        /* One that does not merge keeps it for its next thread. */
        _exit(grown == (lab == &mm_per_thread) ? 0 : 2);
    }
    ck_assert_int_ge(pid, 0);
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(WEXITSTATUS(status), 0);
    lab->stats(&before);
    void *p = lab->malloc(1 << 19); /* but here the thread is alive */
    lab->stats(&after);
    ck_assert_uint_gt(after.heap, before.heap);
    lab->free(p);
    pthread_barrier_wait(&asleep);
    thread_wait(thread);
    lab_end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("arena-fork");
    TCase *tc = tcase_create("arena-fork");
    tcase_add_loop_test(
        tc, a_child_of_a_busy_process_can_do_all_that_its_parent_could, 0,
        NVARIANTS);
    tcase_add_loop_test(tc, any_thread_may_fork_with_an_arena_or_without, 0,
                        NVARIANTS);
    tcase_add_loop_test(
        tc, a_child_inherits_the_memory_of_the_threads_that_it_has_not, 0,
        2); /* the favorites belong to nobody */
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
