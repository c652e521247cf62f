/* burst.c - a burst of allocations, then idle: how long does its memory stay?
 *
 *   burst SIZES THREADS AFTER MAIN [ROUNDS]
 *
 *   SIZES    small   8-64 bytes
 *            medium  1-64 KiB
 *            large   3 MiB
 *   THREADS  make BURST bytes together and free them again; 0: main does
 *   AFTER    sleep   they free their own blocks, and then sleep for ever
 *            end     and then end
 *            others  they sleep; main frees what they made
 *   MAIN     calls   main goes on to allocate and free a little, ...
 *            idle    ... or only sleeps, ...
 *            asks    ... from mallopt on that asks for a decay of ASKED ms
 *
 * LIVE bytes stay in use all the time. Without ROUNDS a line for each 50 ms,
 * for 4 s: milliseconds since the burst ended, resident KiB, live KiB. With
 * ROUNDS of 10 ms it ends as soon as no more than 1.25 times the live bytes are
 * resident (status 0), or after them (status 1). */
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)
#define LIVE (96 * MIB)
#define BURST (256 * MIB)
#define THREADS_MOST 64
#define M_MM_DECAY (-1001)
#define ASKED 200

struct block {
    struct block *next;
};

static unsigned nthreads;
static size_t least, most;
static char after;
static struct block *made[THREADS_MOST]; /* for main */
static pthread_barrier_t full, freed;

static struct block *make(size_t bytes, unsigned seed)
{
    struct block *head = NULL;
    for (size_t sum = 0, size; sum < bytes; sum += size) {
        size = least + (size_t)rand_r(&seed) % (most - least + 1);
        struct block *b = malloc(size);
        if (!b)
            abort();
        memset(b, 1, size);
        b->next = head;
        head = b;
    }
    return head;
}

static void free_all(struct block *b)
{
    for (struct block *next; b; b = next) {
        next = b->next;
        free(b);
    }
}

static void *work(void *number)
{
    size_t i = (size_t)number;
    made[i] = make(BURST / nthreads, (unsigned)i + 1);
    pthread_barrier_wait(&full);
    if (after != 'o')
        free_all(made[i]);
    pthread_barrier_wait(&freed);
    while (after != 'e')
        pause();
    return NULL;
}

static void burst(void)
{
    pthread_t thread;
    pthread_attr_t attr;
    if (!nthreads) {
        free_all(make(BURST, 1));
        return;
    }
    pthread_barrier_init(&full, NULL, nthreads + 1);
    pthread_barrier_init(&freed, NULL, nthreads + 1);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, 64 << 10);
    for (size_t i = 0; i < nthreads; i++)
        if (pthread_create(&thread, &attr, work, (void *)i))
            abort();
    pthread_barrier_wait(&full);
    pthread_barrier_wait(&freed);
    for (unsigned i = 0; i < nthreads && after == 'o'; i++)
        free_all(made[i]);
}

/* Without stdio, which allocates. */
static size_t resident(void)
{
    char text[100] = "";
    int fd = open("/proc/self/statm", O_RDONLY);
    if (fd < 0 || read(fd, text, sizeof text - 1) < 0)
        abort();
    close(fd);
    char *second = strchr(text, ' ');
    if (!second)
        abort();
    return strtoul(second, NULL, 10) * (size_t)sysconf(_SC_PAGESIZE);
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What goes on meanwhile. */
static void few_calls(void)
{
    void *p[64];
    for (size_t i = 0; i < 64; i++)
        p[i] = malloc(i * i + 1);
    for (size_t i = 0; i < 64; i++)
        free(p[i]);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    char sizes = argv[1][0];
    least = sizes == 's' ? 8 : sizes == 'm' ? 1 << 10 : 3 * MIB;
    most = sizes == 's' ? 64 : sizes == 'm' ? 64 << 10 : 3 * MIB;
    nthreads = (unsigned)atoi(argv[2]);
    if (nthreads > THREADS_MOST)
        return 2;
    after = argv[3][0];
    int rounds = argc > 5 ? atoi(argv[5]) : 0;
    char *live = memset(malloc(LIVE), 1, LIVE);
    burst();
    if (argv[4][0] == 'a' && mallopt(M_MM_DECAY, ASKED) != 1)
        return 2;
    long start = now_ms(), next = 0;
    for (int i = 0; rounds ? i < rounds : now_ms() - start <= 4000; i++) {
        size_t has = resident();
        if (rounds && has <= LIVE + LIVE / 4)
            return !live[1];
        if (!rounds && now_ms() - start >= next) {
            printf("%ld %zu %zu\n", now_ms() - start, has >> 10, LIVE >> 10);
            next += 50;
        }
        if (argv[4][0] == 'c')
            few_calls();
        usleep(10000);
    }
    fprintf(stderr, "%zu KiB resident, %zu KiB live\n", resident() >> 10,
            LIVE >> 10);
    return 1;
}
