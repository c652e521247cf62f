/* cache-scratch.c - passive false sharing (Berger and others 2000): one thread
 * makes tiny blocks side by side, gives one to each other thread, and these
 * free them and go on with blocks of their own.
 *
 *   main    | b0 | b1 | b2 | b3 |     one line of cache
 *              │    │    │    └─► thread 3: free, then malloc, write ..., free
 *
 * An allocator that hands a freed block out again to the thread that freed it
 * makes the threads share that line for ever. */
#include "bench/stress.h"

#define OBJECTS 400000 /* in all */
#define WRITES 2000    /* of each */
#define SIZE 8

static void *given[STRESS_THREADS];

static void *work(void *arg)
{
    free(given[(uintptr_t)arg]);
    for (size_t i = stress_share(OBJECTS); i > 0; i--) {
        volatile unsigned char *p = malloc(SIZE);
        if (!p)
            stress_fail("malloc returned NULL");
        memset((void *)p, 0, SIZE);
        for (unsigned w = 0; w < WRITES; w++)
            p[w % SIZE]++;
        if (p[0] != (unsigned char)((WRITES + SIZE - 1) / SIZE))
            stress_fail("a block was damaged while it was live");
        free((void *)p);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    for (unsigned i = 0; i < stress_threads; i++)
        if (!(given[i] = malloc(SIZE)))
            stress_fail("malloc returned NULL");
    stress_run(work);
    printf("cache-scratch: ops=%zu\n",
           2 * stress_threads * (stress_share(OBJECTS) + 1));
    return 0;
}
