/* larson.c - a server whose threads come and go (Larson and Krishnan 1998).
 *
 *   slots    [b][b][b] ... [b]     each operation frees the block of a random
 *   thread 1 ──►                   slot and puts a new one of random size there
 *   thread 2        ──►            after a while the thread starts its
 *   thread 3             ──►       successor, which takes its slots over
 *
 * So most blocks are freed by another thread than the one that made them, and
 * that one is gone. Every chain of threads has its own slots. */
#include "bench/stress.h"

#include <semaphore.h>

#define OPERATIONS 12000000 /* in all; a free and a malloc each */
#define SLOTS 4000          /* in all */
#define GENERATIONS 20
#define LEAST 16
#define MOST 512

struct chain {
    struct block **slots;
    size_t nslots, operations; /* of one generation */
    unsigned generation;
    uint64_t seed;
};

static struct chain chains[STRESS_THREADS];
static sem_t done;

static void *serve(void *arg);

static void start(struct chain *c)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, serve, c) != 0)
        stress_fail("cannot start a thread");
    pthread_detach(thread);
}

static void *serve(void *arg)
{
    struct chain *c = arg;
    for (size_t i = 0; i < c->operations; i++) {
        struct block **slot = &c->slots[dice(&c->seed) % c->nslots];
        block_free(*slot);
        *slot = block_new(dice_between(&c->seed, LEAST, MOST));
    }
    if (++c->generation < GENERATIONS)
        start(c);
    else
        sem_post(&done);
    return NULL;
}

static void fill(struct chain *c, unsigned number)
{
    c->seed = dice_seed(number);
    c->nslots = stress_share(SLOTS);
    c->operations = stress_share(OPERATIONS) / GENERATIONS;
    c->slots = calloc(c->nslots, sizeof *c->slots);
    if (!c->slots)
        stress_fail("calloc returned NULL");
    for (size_t i = 0; i < c->nslots; i++)
        c->slots[i] = block_new(dice_between(&c->seed, LEAST, MOST));
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    sem_init(&done, 0, 0);
    for (unsigned i = 0; i < stress_threads; i++)
        fill(&chains[i], i);
    for (unsigned i = 0; i < stress_threads; i++)
        start(&chains[i]);
    for (unsigned i = 0; i < stress_threads; i++)
        sem_wait(&done);
    size_t ops = 0;
    for (unsigned i = 0; i < stress_threads; i++) {
        for (size_t k = 0; k < chains[i].nslots; k++)
            block_free(chains[i].slots[k]);
        free(chains[i].slots);
        ops += 2 * (chains[i].nslots + GENERATIONS * chains[i].operations);
    }
    printf("larson: ops=%zu\n", ops);
    return 0;
}
