/* handover.c - producers and consumers: every block is freed by another thread
 * (the case of Lever and Boreham's xmalloc-test, 2000).
 *
 *   thread 0 ──batch──► thread 1 ──batch──► thread 2 ──batch──► thread 0
 *
 * Each thread fills the next one's queue with lists of blocks, and frees those
 * that it finds in its own: producer and consumer at once, so that any number
 * of threads does the same work. A queue holds few batches: a thread whose
 * neighbour is behind turns to its own. (With one thread the queue is its
 * own.) */
#include "bench/stress.h"

#include <sched.h>
#include <stdbool.h>

#define BLOCKS 12000000 /* in all */
#define BATCH 100
#define QUEUE 16 /* batches */
#define LEAST 16
#define MOST 256

struct queue {
    _Alignas(128) pthread_mutex_t lock;
    struct block *batch[QUEUE];
    unsigned n;
};

static struct queue queues[STRESS_THREADS];

static bool put(struct queue *q, struct block *batch)
{
    pthread_mutex_lock(&q->lock);
    bool room = q->n < QUEUE;
    if (room)
        q->batch[q->n++] = batch;
    pthread_mutex_unlock(&q->lock);
    return room;
}

static struct block *take(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    struct block *batch = q->n ? q->batch[--q->n] : NULL;
    pthread_mutex_unlock(&q->lock);
    return batch;
}

static struct block *make_batch(uint64_t *seed)
{
    struct block *list = NULL;
    for (unsigned i = 0; i < BATCH; i++) {
        struct block *b = block_new(dice_between(seed, LEAST, MOST));
        b->next = list;
        list = b;
    }
    return list;
}

static void *work(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    struct queue *mine = &queues[me];
    struct queue *next = &queues[(me + 1) % stress_threads];
    size_t batches = stress_share(BLOCKS / BATCH), made = 0, freed = 0;
    struct block *batch = NULL;
    uint64_t seed = dice_seed(me);
    while (made < batches || freed < batches) {
        if (made < batches && !batch)
            batch = make_batch(&seed);
        if (batch && put(next, batch)) {
            batch = NULL;
            made++;
            continue;
        }
        struct block *got = take(mine);
        if (got) {
            block_free_list(got);
            freed++;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    for (unsigned i = 0; i < stress_threads; i++)
        pthread_mutex_init(&queues[i].lock, NULL);
    stress_run(work);
    printf("handover: ops=%zu\n",
           2 * stress_threads * stress_share(BLOCKS / BATCH) * BATCH);
    return 0;
}
