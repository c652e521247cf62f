/* realloc_race.c - to be recorded: threads that want each other's addresses.
 *
 * Four threads resize blocks of few sizes and free them, so that an
 * address that one realloc leaves is another thread's a moment later. Step i of
 * a block has 64 * (1 + i * 7 % 5) bytes: its sizes tell their order. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define THREADS 4
#define BLOCKS 3000
#define STEPS 6
#define SLOTS 16

static _Atomic(void *) shared[SLOTS];

static size_t step_size(unsigned i)
{
    return 64 * (1 + i * 7 % 5) + 1;
}

static void *run(void *arg)
{
    unsigned at = (unsigned)(size_t)arg;
    for (unsigned b = 0; b < BLOCKS; b++) {
        void *p = malloc(step_size(0));
        for (unsigned i = 1; i < STEPS; i++)
            p = realloc(p, step_size(i));
        at = (at * 5 + 3) % SLOTS;
        free(atomic_exchange(&shared[at], p));
    }
    return NULL;
}

int main(void)
{
    pthread_t id[THREADS];
    for (size_t i = 0; i < THREADS; i++)
        pthread_create(&id[i], NULL, run, (void *)i);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(id[i], NULL);
    for (unsigned i = 0; i < SLOTS; i++)
        free(atomic_exchange(&shared[i], NULL));
}
