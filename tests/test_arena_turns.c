/* test_arena_turns.c - no blow-up: eight threads that use much memory in turn,
 * and sleep after it, need as much as one. STRESS=1: all uses with all
 * variants, not only with the first and the last. */
#include "tests/arena_memory.h"
#include "tests/limits.h"
#include "tests/run_tests.h"

#include <semaphore.h>

#define TURNS_THREADS 8
#define TURN_BYTES (SANITIZED ? 2 * MIB : 57 * MIB)

struct turn {
    sem_t go, done;
    void (*use)(void);
    pthread_t thread;
};

static bool turns_over;

/* Each thread uses much memory, gives it back, and sleeps. */
static void *take_turns(void *arg)
{
    struct turn *t = arg;
    for (;;) {
        sem_wait(&t->go);
        if (turns_over)
            return NULL;
        t->use();
        sem_post(&t->done);
    }
}

static void run_turns(void (*use)(void), int n)
{
    static struct turn turns[TURNS_THREADS];
    for (int i = 0; i < TURNS_THREADS; i++) {
        turns[i].use = use;
        sem_init(&turns[i].go, 0, 0);
        sem_init(&turns[i].done, 0, 0);
        turns[i].thread = thread_start(take_turns, &turns[i]);
    }
    for (int i = 0; i < n; i++) {
        sem_post(&turns[i % TURNS_THREADS].go);
        sem_wait(&turns[i % TURNS_THREADS].done);
    }
    turns_over = true;
    for (int i = 0; i < TURNS_THREADS; i++) {
        sem_post(&turns[i].go);
        thread_wait(turns[i].thread);
    }
}

static void use_one_block(void)
{
    lab->free(touched(TURN_BYTES));
}

/* Blocks of least .. most bytes, freed as they came, or in disorder. */
static void use_blocks(size_t least, size_t most, bool disorder)
{
    size_t n = TURN_BYTES / ((least + most) / 2), span = most - least + 1;
    void **p = touched(n * sizeof *p); /* counts, too: 57 MiB and this */
    for (size_t i = 0; i < n; i++)
        p[i] = touched(least + i * 7919 % span);
    uint64_t random = 1;
    for (size_t i = n; disorder && i-- > 1;) {
        size_t other = next_random(&random) % (i + 1);
        void *swap = p[i];
        p[i] = p[other];
        p[other] = swap;
    }
    for (size_t i = 0; i < n; i++)
        lab->free(p[i]);
    lab->free(p);
}

static void use_large_blocks(void)
{
    use_blocks(300 * KIB, 300 * KIB, false);
}

static void use_middle_blocks(void)
{
    use_blocks(8 * KIB, 8 * KIB, true);
}

static void use_small_blocks(void)
{
    use_blocks(500, 500, true);
}

static void use_blocks_of_runs(void)
{
    use_blocks(64, 64, true);
}

/* Caches keep the last blocks that were freed, wherever they lie. */
static void use_all_small_blocks(void)
{
    use_blocks(16, 1024, true);
}

/* The same, when their bins have grown large before. */
static void use_large_bins(void)
{
    enum { N = 4000 };
    void *p[N];
    for (int round = 0; round < 100; round++) {
        for (size_t i = 0; i < N; i++)
            demand(p[i] = lab->malloc(i * 7919 % 1024));
        for (size_t i = 0; i < N; i++)
            lab->free(p[i]);
    }
    use_all_small_blocks();
}

static void use_mixed_blocks(void)
{
    enum { N = 1000 };
    static void *p[N];
    uint64_t random = 2;
    size_t left = TURN_BYTES, n = 0;
    for (; n < N && left > 0; n++) {
        size_t size = next_random(&random) % (120 * KIB);
        size = size < left ? size : left;
        p[n] = touched(size);
        left -= size;
    }
    for (size_t i = 0; i < n; i += 2)
        lab->free(p[i]);
    for (size_t i = 1; i < n; i += 2)
        lab->free(p[i]);
}

static size_t growth = 64 * KIB;

/* Grown by many small reallocs, as a log is. */
static void use_growing_block(void)
{
    char *p = NULL;
    for (size_t size = growth; size <= TURN_BYTES; size += growth) {
        p = lab->realloc(p, size);
        demand(p);
        memset(p + size - growth, 'x', growth);
    }
    lab->free(p);
}

/* Aligned ones are cut elsewhere in the engine. */
static void use_aligned_block(void)
{
    char *p = lab->memalign(4096, TURN_BYTES);
    demand(p);
    lab->free(memset(p, 'x', TURN_BYTES));
}

/* The first two are for all variants. */
static const struct {
    const char *what;
    void (*use)(void);
} uses[] = {
    {"turns of one block", use_one_block},
    {"turns of 500-byte blocks in disorder", use_small_blocks},
    {"turns of 64-byte blocks in disorder", use_blocks_of_runs},
    {"turns of small blocks in disorder", use_all_small_blocks},
    {"turns with large bins", use_large_bins},
    {"turns of 8 KiB blocks in disorder", use_middle_blocks},
    {"turns of 300 KiB blocks", use_large_blocks},
    {"turns of mixed blocks", use_mixed_blocks},
    {"turns of a growing block", use_growing_block},
    {"turns of an aligned block", use_aligned_block},
};

#define NUSES (int)(sizeof uses / sizeof uses[0])

/* Where each thread leaves its blocks in all arenas, eight keep less each than
 * is taken from a thread at work (PURGE_LARGE), until they have rested. */
START_TEST(eight_threads_in_turn_stay_under_90_mb_though_each_sleeps)
{
    bool spread = variants[_i / NUSES] == &mm_arena_favorite;
    size_t bound = (spread ? 104 : 90) * MIB;
    if (emulated()) { /* a tenth of a MiB is qemu's own for each realloc */
        growth = 8 * MIB;
        bound = 110 * MIB; /* two threads' memory is still more */
    }
    lab_begin(_i / NUSES);
    run_turns(uses[_i % NUSES].use, TURNS_THREADS + 3); /* a second round */
    ck_peak(uses[_i % NUSES].what, bound);
    lab_end();
}
END_TEST

/* Is the variant tested with all uses? */
static bool is_whole(int variant)
{
    return variant == 0 || variant == NVARIANTS - 1 || getenv("STRESS");
}

int main(void)
{
    Suite *suite = suite_create("arena-turns");
    TCase *tc = tcase_create("arena-turns");
    for (int v = 0; v < NVARIANTS; v++)
        tcase_add_loop_test(
            tc, eight_threads_in_turn_stay_under_90_mb_though_each_sleeps,
            v * NUSES, v * NUSES + (is_whole(v) ? NUSES : 2));
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
