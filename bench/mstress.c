/* mstress.c - threads that keep some blocks, free some, and swap some with
 * whoever comes by, in rounds; the threads of each round are new ones. After
 * the stress test that mimalloc comes with (Leijen and others 2019).
 *
 *   round    threads ──► kept lists, given up when the thread ends
 *               └── exchange ──► transfer [b][-][b][b] ...  survives the rounds
 */
#include "bench/stress.h"

#include <stdatomic.h>

#define ROUNDS 20
#define BLOCKS 6000000 /* in all */
#define TRANSFER 1000
#define KEPT 500 /* of a thread */
#define LEAST 16
#define MOST 4096
#define LARGE 200000 /* bytes, one in LARGE_ONE_IN */
#define LARGE_ONE_IN 2000

static _Atomic(struct block *) transfer[TRANSFER];
static unsigned round_number;

static struct block *any_block(uint64_t *seed)
{
    if (dice(seed) % LARGE_ONE_IN == 0)
        return block_new(dice_between(seed, MOST, LARGE));
    return block_new(dice_skewed(seed, LEAST, MOST));
}

static void swap(struct block **b, uint64_t *seed)
{
    *b = atomic_exchange_explicit(&transfer[dice(seed) % TRANSFER], *b,
                                  memory_order_acq_rel); /* with another swap */
}

static void *work(void *arg)
{
    struct block *kept[KEPT] = {NULL};
    uint64_t seed = dice_seed((uintptr_t)arg * ROUNDS + round_number);
    size_t n = stress_share(BLOCKS / ROUNDS);
    for (size_t i = 0; i < n; i++) {
        struct block **b = &kept[dice(&seed) % KEPT];
        if (dice(&seed) % 4 == 0)
            swap(b, &seed);
        if (*b)
            block_free(*b);
        *b = any_block(&seed);
    }
    for (unsigned i = 0; i < KEPT; i++)
        if (kept[i])
            block_free(kept[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    for (; round_number < ROUNDS; round_number++)
        stress_run(work);
    for (unsigned i = 0; i < TRANSFER; i++)
        if (transfer[i])
            block_free(transfer[i]);
    printf("mstress: ops=%zu\n",
           2 * ROUNDS * stress_threads * stress_share(BLOCKS / ROUNDS));
    return 0;
}
