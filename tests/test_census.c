/* test_census.c - what is counted from outside adds up, is right where nobody
 * works, and may be asked at any time. */
#include "tests/limits.h"
#include "tests/mm_test.h"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct mm_census_class classes[MM_CENSUS_CLASSES];
static struct mm_census_class of_arena[MM_CENSUS_CLASSES];
static struct mm_census_arena arenas[64];
static size_t narenas;

static void arena_told(const struct mm_census_arena *a, void *unused)
{
    (void)unused;
    ck_assert_uint_eq(a->mapped,
                      a->live + a->cached + a->sent + a->free + a->purged);
    ck_assert_ptr_nonnull(a->state);
    if (narenas < 64)
        arenas[narenas] = *a;
    narenas++;
}

/* Of all; both equations hold at any time. */
static struct mm_census census(void)
{
    struct mm_census c = {
        .arena = arena_told, .classes = classes, .arena_classes = of_arena};
    memset(classes, 0, sizeof classes);
    narenas = 0;
    mm->census(&c);
    ck_assert_uint_eq(c.mapped, c.live + c.cached + c.sent + c.free + c.purged +
                                    c.spare + c.untouched + c.records +
                                    c.other);
    ck_assert_uint_eq(c.arenas, narenas);
    return c;
}

/* Blocks of slabs as a walk finds them, by class. */
static size_t walked[2][MM_CENSUS_CLASSES], walked_used;

static void count_piece(const struct mm_piece *piece, void *unused)
{
    (void)unused;
    walked_used += piece->kind == MM_PIECE_USED ? piece->size : 0;
    if (piece->in_slab && piece->kind != MM_PIECE_OWN)
        walked[piece->kind == MM_PIECE_FREE][piece->list / 16]++;
}

/* @pre quiescent, and nothing is on its way */
static void ck_counts(void)
{
    struct mm_census c = census();
    memset(walked, 0, sizeof walked);
    walked_used = 0;
    mm->walk(count_piece, NULL);
    for (int i = 1; i <= 64; i++) {
        ck_assert_uint_eq(classes[i].used, walked[0][i]);
        ck_assert_uint_eq(classes[i].free, walked[1][i]);
        ck_assert_uint_le(classes[i].cached, classes[i].used);
        ck_assert_uint_le(classes[i].headers_cached, classes[i].headers);
    }
    ck_assert_uint_eq(c.live + c.cached, walked_used);
    ck_assert_uint_ge(mm->used(), c.live); /* batches count payloads alone */
}

START_TEST(it_agrees_with_a_walk)
{
    enum { N = 3000 };
    static char *blocks[N];
    begin(_i);
    uint64_t random = 1;
    for (int round = 0; round < (SANITIZED ? 5000 : 20000); round++) {
        random = random * 6364136223846793005 + 1442695040888963407;
        char **p = &blocks[(random >> 33) % N];
        size_t most = random >> 62 ? 500 : 30000;
        mm->free(*p);
        *p = take((random >> 40) % most, 'x');
        if (round % 1000 == 0)
            ck_counts();
    }
    for (int i = 0; i < N; i += 2)
        blocks[i] = mm->realloc(blocks[i], 700);
    ck_counts();
    mm->trim();
    ck_counts();
    ck_assert_uint_gt(census().purged, 0);
    ck_healthy();
}
END_TEST

START_TEST(huge_blocks_are_live)
{
    begin(_i);
    struct mm_census before = census();
    char *p = take(20 * MIB, 'x');
    struct mm_census with = census();
    ck_assert_uint_eq(with.nhuge, 1);
    ck_assert_uint_ge(with.huge, 20 * MIB);
    ck_assert_uint_ge(with.live, before.live + 20 * MIB);
    mm->free(p);
    struct mm_census after = census();
    ck_assert_uint_eq(after.nhuge + after.huge, 0);
    ck_assert_uint_le(after.live, before.live);
}
END_TEST

/* What a heap has nobody else has: little is lost between arenas. */
START_TEST(little_is_unaccounted_for)
{
    begin(_i);
    for (int i = 0; i < 100000; i++)
        take(16 + i % 600, 'x');
    struct mm_census c = census();
    ck_assert_uint_le(c.other, 64 * KIB);
    ck_assert_uint_ge(c.live, 100000 * 300);
    ck_assert_uint_le(c.mapped, 3 * c.live);
}
END_TEST

enum { NTHREADS = 3 };
static pthread_barrier_t barrier;
static _Atomic bool enough;
static int tids[NTHREADS];

static void *keep_and_wait(void *index)
{
    char *blocks[500];
    for (int i = 0; i < 500; i++)
        blocks[i] = take(200, 'x');
    for (int i = 0; i < 20; i++)
        mm->free(blocks[i]);
    tids[(intptr_t)index] = (int)syscall(SYS_gettid);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

static bool stage_has_caches(void)
{
    return strncmp(mm->name, "arena", 5) == 0 || !strcmp(mm->name, "lockfree");
}

static bool is_told(int tid)
{
    for (size_t i = 0; i < narenas; i++)
        if (arenas[i].thread == tid && arenas[i].cached)
            return true;
    return false;
}

START_TEST(what_sleeping_threads_keep_is_cached)
{
    pthread_t threads[NTHREADS];
    begin(_i);
    pthread_barrier_init(&barrier, NULL, NTHREADS + 1);
    for (intptr_t i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, keep_and_wait, (void *)i);
    pthread_barrier_wait(&barrier);
    struct mm_census c = census();
    ck_assert_uint_ge(c.live, NTHREADS * 480 * 200);
    ck_assert_uint_le(c.live, NTHREADS * 480 * 216 + 64 * KIB);
    if (stage_has_caches()) {
        ck_assert_uint_ge(c.cached, NTHREADS * 20 * 200);
        for (int i = 0; i < NTHREADS && strcmp(mm->name, "arena-favorite"); i++)
            ck_assert(is_told(tids[i]));
    } else {
        ck_assert_uint_eq(c.cached, 0);
    }
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
}
END_TEST

static char *passed[NTHREADS][500];

static void *make_many(void *blocks)
{
    for (int i = 0; i < 500; i++)
        ((char **)blocks)[i] = take(1000, 'x');
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    return NULL;
}

/* Blocks of threads that sleep, freed by another, are on their way. */
START_TEST(what_others_free_is_not_live)
{
    pthread_t threads[NTHREADS];
    begin(_i);
    pthread_barrier_init(&barrier, NULL, NTHREADS + 1);
    size_t before = census().live;
    for (int i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, make_many, passed[i]);
    pthread_barrier_wait(&barrier);
    ck_assert_uint_ge(census().live, before + NTHREADS * 500 * 1000);
    for (int i = 0; i < NTHREADS * 500; i++)
        mm->free(passed[i / 500][i % 500]);
    struct mm_census c = census();
    ck_assert_uint_le(c.live, before + 64 * KIB);
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    c = census();
    ck_assert_uint_le(c.live, before + 64 * KIB);
    ck_healthy();
}
END_TEST

static void *work(void *unused)
{
    static _Thread_local char *blocks[300];
    for (unsigned i = 0; !atomic_load_explicit(&enough, memory_order_relaxed);
         i++) {
        mm->free(blocks[i % 300]);
        blocks[i % 300] = take(i * 7919 % 3000, 'x');
    }
    for (int i = 0; i < 300; i++)
        mm->free(blocks[i]);
    return unused;
}

START_TEST(it_may_be_asked_while_threads_work)
{
    pthread_t threads[NTHREADS];
    begin(_i);
    for (int i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, work, NULL);
    for (int i = 0; i < (SANITIZED ? 300 : 2000); i++) {
        struct mm_census c = census();
        ck_assert_uint_le(c.live, NTHREADS * 4 * MIB);
    }
    atomic_store(&enough, true);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {it_agrees_with_a_walk,
                                  huge_blocks_are_live,
                                  little_is_unaccounted_for,
                                  what_sleeping_threads_keep_is_cached,
                                  what_others_free_is_not_live,
                                  it_may_be_asked_while_threads_work,
                                  NULL};
    return run_stage_tests("census", tests);
}
