/* collatz.h - which number has the longest way to 1? The part that both
 * programs share: threads, and what is printed.
 *
 *   n ─► n / 2 if n is even, else 3n + 1, and so on until 1
 *
 * The way of each number is a chain, made and measured; the last WINDOW chains
 * of a thread stay alive, as a program's working set does. What its thread
 * leaves behind the main thread frees: blocks of others, as allocators fear.
 *
 *   collatz-X [LIMIT [THREADS]]    numbers 1 .. LIMIT - 1, of which thread t
 *                                  of k takes t + 1, t + 1 + k, ...
 *
 * A program defines struct chain, chain_new and chain_free, includes this file
 * and is done. */
#ifndef TEACH_COLLATZ_H
#define TEACH_COLLATZ_H

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WINDOW 1000
#define MOST_THREADS 64

/** The way of n to 1. */
static struct chain *chain_new(uint64_t n);
static void chain_free(struct chain *c);
static size_t chain_steps(const struct chain *c);

struct worker {
    pthread_t thread;
    unsigned long first, step, limit; /* the numbers that it takes */
    unsigned long best;               /* the one with the longest way */
    size_t best_steps;
    struct chain *window[WINDOW];
};

static void *allocated(void *p)
{
    if (p)
        return p;
    perror("collatz");
    exit(1);
}

static inline uint64_t next_number(uint64_t n)
{
    return n % 2 ? 3 * n + 1 : n / 2;
}

static void *work(void *arg)
{
    struct worker *w = arg;
    unsigned long turn = 0;
    for (unsigned long n = w->first; n < w->limit; n += w->step) {
        struct chain **place = &w->window[turn++ % WINDOW];
        if (*place)
            chain_free(*place);
        *place = chain_new(n);
        size_t steps = chain_steps(*place);
        if (steps > w->best_steps) {
            w->best_steps = steps;
            w->best = n;
        }
    }
    return NULL;
}

static void leave(struct worker *w)
{
    for (size_t i = 0; i < WINDOW; i++)
        if (w->window[i])
            chain_free(w->window[i]);
}

/* Is a better than b? Of equal ways the smaller number's counts. */
static int is_better(const struct worker *a, const struct worker *b)
{
    return a->best_steps > b->best_steps ||
           (a->best_steps == b->best_steps && a->best < b->best);
}

/* KiB of memory that are resident and the process's own: what it wrote to, not
 * the pages of program files, which processes share. The kernel counts them for
 * this page by page; its other figures may be off by hundreds of KiB. */
static long own_kib(void)
{
    char line[128];
    long kib = 0;
    FILE *sums = fopen("/proc/self/smaps_rollup", "r");
    while (sums && fgets(line, sizeof line, sums))
        if (strncmp(line, "Anonymous:", 10) == 0)
            kib = strtol(line + 10, NULL, 10);
    if (sums)
        fclose(sums);
    return kib;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned long number_argument(const char *text, unsigned long most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || end == text || n < 1 || n > most) {
        fprintf(stderr, "collatz: '%s': expected a number from 1 to %lu\n",
                text, most);
        exit(2);
    }
    return n;
}

/* One thread works here; several each in its own. */
static struct worker *run(unsigned long limit, unsigned long threads)
{
    struct worker *workers = allocated(calloc(threads, sizeof *workers));
    for (unsigned long i = 0; i < threads; i++) {
        struct worker *w = &workers[i];
        w->first = i + 1;
        w->step = threads;
        w->limit = limit;
        if (threads == 1)
            work(w);
        else if (pthread_create(&w->thread, NULL, work, w) != 0) {
            perror("collatz: pthread_create");
            exit(1);
        }
    }
    for (unsigned long i = 0; i < threads && threads > 1; i++)
        pthread_join(workers[i].thread, NULL);
    return workers;
}

int main(int argc, char **argv)
{
    unsigned long limit = argc > 1 ? number_argument(argv[1], 1ul << 32) : 1000;
    unsigned long threads =
        argc > 2 ? number_argument(argv[2], MOST_THREADS) : 1;
    double start = now();
    struct worker *workers = run(limit, threads), *best = workers;
    double worked = now() - start;
    long kib = own_kib(); /* the most: all windows are full */
    start = now();
    for (unsigned long i = 0; i < threads; i++) {
        if (is_better(&workers[i], best))
            best = &workers[i];
        leave(&workers[i]);
    }
    double seconds = worked + now() - start;
    printf("%lu: %zu steps\n", best->best, best->best_steps);
    fflush(stdout);
    fprintf(stderr, "%.3f s, %ld KiB\n", seconds, kib);
    free(workers);
    return 0;
}

#endif
