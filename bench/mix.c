/* mix.c - sizes mixed as in MicroQuill's shbench: most small, few large, freed
 * in several orders.
 *
 *   a batch    s s s s s m s s s L ...      s 16-64, m to 1000, L to 16000
 *   at once    every second one, last first
 *   kept       the others, and freed after KEPT more batches, first first
 */
#include "bench/stress.h"

#define BATCHES 100000 /* in all */
#define BATCH 100
#define KEPT 40 /* batches */

static size_t any_size(uint64_t *seed)
{
    unsigned roll = dice(seed) % 100;
    if (roll < 80)
        return dice_between(seed, 16, 64);
    return roll < 98 ? dice_between(seed, 65, 1000)
                     : dice_between(seed, 1001, 16000);
}

/* @return the half that stays, in the order in which it was made. */
static struct block *batch(uint64_t *seed)
{
    struct block *half = NULL, *kept = NULL, **end = &kept;
    for (unsigned i = 0; i < BATCH; i++) {
        struct block *b = block_new(any_size(seed));
        if (i % 2) {
            b->next = half;
            half = b;
        } else {
            *end = b;
            end = &b->next;
        }
    }
    block_free_list(half);
    return kept;
}

static void *work(void *arg)
{
    struct block *kept[KEPT] = {NULL};
    uint64_t seed = dice_seed((uintptr_t)arg);
    size_t batches = stress_share(BATCHES);
    for (size_t i = 0; i < batches; i++) {
        block_free_list(kept[i % KEPT]);
        kept[i % KEPT] = batch(&seed);
    }
    for (unsigned i = 0; i < KEPT; i++)
        block_free_list(kept[i]);
    return NULL;
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    stress_run(work);
    printf("mix: ops=%zu\n",
           2 * BATCH * stress_threads * stress_share(BATCHES));
    return 0;
}
