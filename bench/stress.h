/* stress.h - what the stress programs share: command line, threads, dice, and
 * blocks that know whether they were damaged.
 *
 *   NAME [THREADS [PERCENT]]      PERCENT of the usual work; default 1, 100
 *
 * A program's work is the same for any number of threads, which share it: so
 * with twice as many it should take half the time. It prints one line, `NAME:
 * ops=N`, the mallocs and frees that it did, which depends on THREADS and
 * PERCENT alone. A block that is not as it was left ends it with status 1. */
#ifndef BENCH_STRESS_H
#define BENCH_STRESS_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STRESS_THREADS 256

static unsigned stress_threads = 1, stress_percent = 100;

static inline _Noreturn void stress_fail(const char *what)
{
    fprintf(stderr, "error: %s\n", what);
    _Exit(1);
}

static inline unsigned stress_number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (n < 1 || n > most || *end)
        stress_fail("expected NAME [THREADS [PERCENT]], 256 threads at most");
    return (unsigned)n;
}

static inline void stress_options(int argc, char **argv)
{
    if (argc > 3)
        stress_fail("expected NAME [THREADS [PERCENT]]");
    if (argc > 1)
        stress_threads = stress_number(argv[1], STRESS_THREADS);
    if (argc > 2)
        stress_percent = stress_number(argv[2], 100000);
}

/** A thread's share of so many, at least 1. */
static inline size_t stress_share(size_t all)
{
    size_t share = all * stress_percent / 100 / stress_threads;
    return share ? share : 1;
}

/** Every thread calls work(its number); returns when all are done. */
static inline void stress_run(void *(*work)(void *))
{
    pthread_t thread[STRESS_THREADS];
    for (unsigned i = 0; i < stress_threads; i++)
        if (pthread_create(&thread[i], NULL, work, (void *)(uintptr_t)i) != 0)
            stress_fail("cannot start a thread");
    for (unsigned i = 0; i < stress_threads; i++)
        pthread_join(thread[i], NULL);
}

/* ---- dice ---------------------------------------------------------------- */

static inline uint64_t dice(uint64_t *seed) /* xorshift; never 0 */
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

static inline uint64_t dice_seed(uint64_t n)
{
    return (n + 1) * UINT64_C(0x9E3779B97F4A7C15);
}

static inline size_t dice_between(uint64_t *seed, size_t low, size_t high)
{
    return low + (size_t)((dice(seed) >> 16) % (high - low + 1));
}

/** Each power of two between low and high as likely as any other. */
static inline size_t dice_skewed(uint64_t *seed, size_t low, size_t high)
{
    size_t size = low;
    unsigned doublings = 0;
    for (size_t s = low; s * 2 <= high; s *= 2)
        doublings++;
    size <<= dice(seed) % (doublings + 1);
    return dice_between(seed, size, size * 2 < high ? size * 2 - 1 : high);
}

/* ---- blocks -------------------------------------------------------------- */

struct block {
    struct block *next; /* the program's to use */
    size_t size;
};

#define BLOCK_LEAST sizeof(struct block)

static inline unsigned char block_mark(const struct block *b)
{
    return (unsigned char)(b->size * 31 + 7);
}

/** malloc, with its size at one end and a mark at the other. */
static inline struct block *block_new(size_t size)
{
    struct block *b = malloc(size < BLOCK_LEAST ? BLOCK_LEAST : size);
    if (!b)
        stress_fail("malloc returned NULL");
    b->next = NULL;
    b->size = size;
    if (size > BLOCK_LEAST)
        ((unsigned char *)b)[size - 1] = block_mark(b);
    return b;
}

static inline void block_free(struct block *b)
{
    if (b->size > BLOCK_LEAST &&
        ((unsigned char *)b)[b->size - 1] != block_mark(b))
        stress_fail("a block was damaged while it was live");
    b->size = 0; /* freed twice, it is damaged */
    free(b);
}

/** All of a list. @return how many. */
static inline size_t block_free_list(struct block *b)
{
    size_t n = 0;
    for (struct block *next; b; b = next, n++) {
        next = b->next;
        block_free(b);
    }
    return n;
}

#endif
