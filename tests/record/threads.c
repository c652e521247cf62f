/* threads.c - to be recorded: blocks that go round a ring of threads.
 *
 *   threads NTHREADS ROUNDS
 *
 * Thread t makes a block of 100000 + t bytes and gives it to thread t + 1,
 * which resizes every other one and frees all: nothing dies where it was made.
 * No thread starts before all are there. */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

static unsigned nthreads, rounds;
static pthread_barrier_t all_there;
static _Atomic(void *) *box; /* of each thread: what it shall free */

static void *run(void *arg)
{
    unsigned me = (unsigned)(size_t)arg, next = (me + 1) % nthreads;
    free(malloc(1)); /* has a number from here on */
    pthread_barrier_wait(&all_there);
    for (unsigned i = 0; i < rounds; i++) {
        void *empty = NULL, *mine = malloc(100000 + me), *got;
        while (!atomic_compare_exchange_weak(&box[next], &empty, mine))
            empty = NULL, sched_yield();
        while (!(got = atomic_exchange(&box[me], NULL)))
            sched_yield();
        free(i % 2 ? realloc(got, 200000 + me) : got);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 1;
    nthreads = (unsigned)atoi(argv[1]);
    rounds = (unsigned)atoi(argv[2]);
    pthread_t *id = malloc(nthreads * sizeof *id);
    box = calloc(nthreads, sizeof *box);
    pthread_barrier_init(&all_there, NULL, nthreads);
    for (size_t i = 0; i < nthreads; i++)
        pthread_create(&id[i], NULL, run, (void *)i);
    for (size_t i = 0; i < nthreads; i++)
        pthread_join(id[i], NULL);
}
