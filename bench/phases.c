/* phases.c - a program whose blocks change in size from phase to phase: can the
 * memory of the last phase be used by the next, or given back?
 *
 *   live bytes   /\      /\      /\        each peak: BYTES in all, of blocks
 *               /  \____/  \____/  \____   of a size of the phase's own; then
 *               16 B    4 KiB   200 B      nine of ten are freed, at random,
 *                                          the tenth a phase later
 *
 * Peak resident memory over BYTES tells how much was wasted. */
#include "bench/stress.h"

#define BYTES ((size_t)32 << 20) /* live at the peak of each phase, in all */
#define STAYS 10                 /* one block in so many */

static const struct phase {
    size_t least, most;
} phases[] = {
    {16, 64},     {4000, 8000}, {100, 300},  {30000, 70000},
    {1000, 2000}, {16, 48},     {500, 5000}, {64, 64},
};
#define PHASES (sizeof phases / sizeof *phases)

struct store {
    struct block **block;
    size_t n;
};

static void shuffle(struct store *s, uint64_t *seed)
{
    for (size_t i = s->n; i > 1; i--) {
        size_t k = dice(seed) % i;
        struct block *b = s->block[k];
        s->block[k] = s->block[i - 1];
        s->block[i - 1] = b;
    }
}

/* As many blocks of a phase as make up a thread's share, in random order. */
static struct store grow(const struct phase *p, uint64_t *seed)
{
    struct store s = {NULL, 2 * stress_share(BYTES) / (p->least + p->most)};
    s.n = s.n ? s.n : 1;
    s.block = malloc(s.n * sizeof *s.block);
    if (!s.block)
        stress_fail("malloc returned NULL");
    for (size_t i = 0; i < s.n; i++) {
        size_t size = dice_between(seed, p->least, p->most);
        s.block[i] = block_new(size);
        memset(s.block[i] + 1, (int)block_mark(s.block[i]),
               size - sizeof(struct block));
    }
    shuffle(&s, seed);
    return s;
}

/* Keep the first so many. */
static void shrink(struct store *s, size_t keep)
{
    while (s->n > keep)
        block_free(s->block[--s->n]);
}

static void *work(void *arg)
{
    uint64_t seed = dice_seed((uintptr_t)arg);
    struct store last = {NULL, 0};
    for (size_t i = 0; i < PHASES; i++) {
        struct store now = grow(&phases[i], &seed);
        shrink(&now, now.n / STAYS);
        shrink(&last, 0);
        free(last.block);
        last = now;
    }
    shrink(&last, 0);
    free(last.block);
    return NULL;
}

int main(int argc, char **argv)
{
    stress_options(argc, argv);
    stress_run(work);
    size_t ops = 0;
    for (size_t i = 0; i < PHASES; i++) {
        size_t n = 2 * stress_share(BYTES) / (phases[i].least + phases[i].most);
        ops += 2 * (n ? n : 1);
    }
    printf("phases: ops=%zu\n", ops * stress_threads);
    return 0;
}
