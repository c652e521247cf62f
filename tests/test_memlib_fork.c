/* test_memlib_fork.c - a thread is stopped for ever just where it maps memory
 * that all wait for: its process goes on, and so does a child of fork, which
 * has no such thread.
 *
 *   thread   claims a level | maps it | says so       stopped before or behind
 *   others                  ^         ^               the call
 *
 * Memory that is not mapped is mapped by them. What is mapped, but perhaps by
 * others than us, they jump over. */
#include "tests/memlib_test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIECE ((size_t)64 << 10)

static struct {
    _Atomic(void *) at; /* where a call stops; once */
    bool behind;        /* it has mapped by then */
    sem_t stopped, go;
} stop;

static void stop_here(void)
{
    sem_post(&stop.stopped);
    while (sem_wait(&stop.go) != 0)
        ;
}

void *mmap(void *at, size_t size, int prot, int flags, int fd, off_t offset)
{
    void *want = at;
    bool here = at && atomic_compare_exchange_strong(&stop.at, &want, NULL);
    if (here && !stop.behind)
        stop_here();
    void *p = (void *)syscall(SYS_mmap, at, size, prot, flags, fd, offset);
    if (here && stop.behind)
        stop_here();
    return p;
}

/* Some of the heap and of the records. @return false: none, or it is not zero
 */
static bool grow(size_t heap, size_t records)
{
    for (size_t got = 0; got < heap + records; got += PIECE) {
        char *p = got < heap ? mem_sbrk(PIECE) : mem_record(PIECE);
        if (!p)
            return false;
        for (size_t i = 0; i < PIECE; i++)
            if (p[i])
                return false;
        memset(p, 0xff, PIECE);
    }
    return true;
}

static bool has_jumped(void)
{
    return (size_t)((char *)mem_brk() - mem_range.base) >
           mem_heapsize() + MIB / 2;
}

/* What the stopped thread was about to get. */
static void *run_growth(void *enough)
{
    return grow(3 * MEM_TAGGED / 2, MIB) ? enough : NULL;
}

/* @param at  of a call of mmap.  @param jumps  the heap's break, over what is
 * mapped there */
static void stop_and_fork(void *at, bool behind, bool jumps)
{
    pthread_t thread;
    int status;
    void *grown;
    stop.behind = behind;
    sem_init(&stop.stopped, 0, 0);
    sem_init(&stop.go, 0, 0);
    atomic_store(&stop.at, at);
    ck_assert_int_eq(pthread_create(&thread, NULL, run_growth, &stop), 0);
    sem_wait(&stop.stopped);
    pid_t child = fork();
    if (child == 0) {
        if (!grow(2 * MEM_TAGGED, MIB))
            _exit(1);
        _exit(has_jumped() == jumps ? 0 : 2);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    ck_assert(grow(2 * MEM_TAGGED, MIB));
    ck_assert_int_eq(has_jumped(), jumps);
    sem_post(&stop.go);
    pthread_join(thread, &grown);
    ck_assert_ptr_eq(grown, &stop);
    ck_assert(grow(2 * MEM_TAGGED, MIB));
}

START_TEST(a_thread_may_stop_before_it_maps_a_piece)
{
    stop_and_fork(mem_range.base, false, false);
}
END_TEST

START_TEST(a_thread_may_stop_behind_the_mapping_of_a_piece)
{
    stop_and_fork(mem_range.base, true, true);
}
END_TEST

START_TEST(a_thread_may_stop_before_it_maps_records_of_pages)
{
    stop_and_fork(mem_range.pages + (MEM_TAGGED >> MEM_GRAIN_LOG2), false,
                  false);
}
END_TEST

START_TEST(a_thread_may_stop_behind_the_mapping_of_records_of_pages)
{
    stop_and_fork(mem_range.pages + (MEM_TAGGED >> MEM_GRAIN_LOG2), true, true);
}
END_TEST

START_TEST(a_thread_may_stop_before_it_maps_records)
{
    stop_and_fork(mem_range.records, false, false);
}
END_TEST

START_TEST(a_thread_may_stop_behind_the_mapping_of_records)
{
    stop_and_fork(mem_range.records, true, false);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_thread_may_stop_before_it_maps_a_piece,
        a_thread_may_stop_behind_the_mapping_of_a_piece,
        a_thread_may_stop_before_it_maps_records_of_pages,
        a_thread_may_stop_behind_the_mapping_of_records_of_pages,
        a_thread_may_stop_before_it_maps_records,
        a_thread_may_stop_behind_the_mapping_of_records,
        NULL};
    return run_tests("memlib-fork", mem_begin, tests);
}
