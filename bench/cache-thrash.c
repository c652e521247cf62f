/* cache-thrash.c - active false sharing (Berger and others 2000): threads take
 * tiny blocks, write them many times, and free them.
 *
 *   cache line  | thread 0 | thread 1 |      an allocator that gives parts of
 *                  write      write          one line to two threads makes each
 *                                            write a miss
 *
 * Nearly all of the time is writing: all that an allocator can do is harm. */
#include "bench/stress.h"

#define OBJECTS 400000 /* in all */
#define WRITES 2000    /* of each */
#define SIZE 8

static void *work(void *arg)
{
    (void)arg;
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
    stress_run(work);
    printf("cache-thrash: ops=%zu\n",
           2 * stress_threads * stress_share(OBJECTS));
    return 0;
}
