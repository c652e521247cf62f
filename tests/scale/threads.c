/* threads.c - so many threads at once, each with blocks of its own; then some
 * GiB of blocks that nobody touches: tests/e2e_scale.py.
 *
 *   threads N         on standard output: KiB resident for each thread, all
 *                     alive
 *   threads blocks N  N blocks of 1 GiB, untouched: how many there are, KiB
 *                     resident; with a third argument it dumps core then
 *   threads heap N    N GiB of blocks of 4 MiB, of which nothing is touched:
 *                     how many GiB, KiB resident; then each is freed, and made
 *                     and written again, one after the other, with small ones
 *                     of its own
 *   threads one N     a block of N GiB, written at both ends, then made 1 GiB
 *                     larger: status 1 if there is none, 2 if it is wrong */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GIB ((size_t)1 << 30)
#define PART (((size_t)4 << 20) - 64)

static atomic_long ready, wrong;
static pthread_mutex_t enough = PTHREAD_MUTEX_INITIALIZER; /* main's, until */

static long resident(void)
{
    char text[200] = "";
    long size, pages = 0;
    int file = open("/proc/self/statm", O_RDONLY);
    if (read(file, text, sizeof text - 1) > 0)
        sscanf(text, "%ld %ld", &size, &pages);
    close(file);
    return pages * (sysconf(_SC_PAGESIZE) >> 10);
}

static void *work(void *unused)
{
    char *blocks[10];
    for (int i = 0; i < 10; i++)
        blocks[i] = memset(malloc(100 + 100 * (size_t)i), i, 100);
    for (int i = 0; i < 10; i++)
        wrong += blocks[i][99] != i;
    ready++;
    pthread_mutex_lock(&enough);
    pthread_mutex_unlock(&enough);
    for (int i = 0; i < 10; i++)
        free(blocks[i]);
    return unused;
}

static int threads(long n)
{
    pthread_t *all = malloc((size_t)n * sizeof *all);
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 64 << 10);
    long before = resident(), made = 0;
    pthread_mutex_lock(&enough);
    while (made < n && pthread_create(&all[made], &attr, work, NULL) == 0)
        made++;
    while (ready < made)
        usleep(1000);
    long with = resident();
    pthread_mutex_unlock(&enough);
    for (long i = 0; i < made; i++)
        pthread_join(all[i], NULL);
    printf("%ld threads, %.1f KiB each\n", made,
           (double)(with - before) / (double)(made + 1));
    return wrong != 0;
}

static int blocks(long n, int dump)
{
    long made = 0, before = resident();
    while (made < n && malloc(GIB))
        made++;
    printf("%ld GiB, %ld KiB\n", made, resident() - before);
    fflush(stdout);
    if (dump)
        abort();
    return 0;
}

/* Small blocks of many sizes, made where the heap has all its zones, each with
 * what it should have. */
static unsigned char *small[100000];
static size_t nsmall;

static void small_add(size_t i)
{
    for (size_t k = 0; k < 5 && nsmall < sizeof small / sizeof *small; k++) {
        size_t size = 1 + (i * 37 + k * 411) % 3000;
        small[nsmall] = memset(malloc(size), (int)(nsmall % 251), size);
        nsmall++;
    }
}

static int small_free(void)
{
    int bad = 0;
    for (size_t step = 0; step < 7; step++)
        for (size_t i = step; i < nsmall; i += 7) {
            bad |= small[i][0] != i % 251;
            free(small[i]);
        }
    return bad;
}

static int heap(long n)
{
    size_t most = (size_t)n << 8, made = 0;
    long before = resident();
    char **all = calloc(most, sizeof *all);
    while (made < most && (all[made] = malloc(PART)))
        made++;
    printf("%zu GiB, %ld KiB\n", made >> 8, resident() - before);
    for (size_t i = 0; i < made; i++) {
        free(all[i]);
        if (!(all[i] = malloc(PART / 2)))
            return 1;
        all[i][0] = 1;
        small_add(i);
    }
    for (size_t i = 0; i < made; i++)
        free(all[i]);
    return small_free();
}

/* 1: there is none; 2: what was written is not there. */
static int one(size_t n)
{
    size_t size = n * GIB;
    char *p = malloc(size), *q;
    if (!p)
        return 1;
    p[0] = 1;
    p[size - 1] = 2;
    if (!(q = realloc(p, size + GIB)))
        q = p;
    int bad = q[0] != 1 || q[size - 1] != 2;
    free(q);
    return 2 * bad;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "blocks") == 0)
        return blocks(atol(argv[2]), argc > 3);
    if (argc > 2 && strcmp(argv[1], "heap") == 0)
        return heap(atol(argv[2]));
    if (argc > 2 && strcmp(argv[1], "one") == 0)
        return one((size_t)atol(argv[2]));
    return argc > 1 ? threads(atol(argv[1])) : 2;
}
