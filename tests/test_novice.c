/* test_novice.c - threads beyond the first few borrow an arena for their first
 * calls, share no lines of the cache, and then have their own. */
#include "mm/front/novice.h"
#include "tests/arena_variants.h"

#include <semaphore.h>

#define SLEEPERS 200
#define KEPT 10

static sem_t made, go;
static pthread_t sleepers[SLEEPERS];
static char *kept[SLEEPERS][KEPT];

static void *keep_some(void *blocks)
{
    char **mine = blocks;
    for (int i = 0; i < KEPT; i++) {
        mine[i] = lab->malloc((size_t)i * 12 + 1);
        demand(mine[i]);
        memset(mine[i], 'x', lab->usable_size(mine[i]));
    }
    sem_post(&made);
    while (sem_wait(&go))
        ;
    for (int i = 0; i < KEPT; i++)
        lab->free(mine[i]);
    return NULL;
}

static void sleepers_start(void)
{
    sem_init(&made, 0, 0);
    sem_init(&go, 0, 0);
    for (int i = 0; i < SLEEPERS; i++) {
        sleepers[i] = thread_start(keep_some, kept[i]);
        while (sem_wait(&made))
            ;
    }
}

static void sleepers_end(void)
{
    for (int i = 0; i < SLEEPERS; i++)
        sem_post(&go);
    for (int i = 0; i < SLEEPERS; i++)
        thread_wait(sleepers[i]);
    ck_assert_uint_eq(lab->check(), 0);
}

static size_t metadata(void)
{
    struct mm_stats stats;
    lab->stats(&stats);
    return stats.metadata;
}

/* @return whether this stage has novices: one without a front end does not */
static bool begin(int variant)
{
    lab_begin(variant);
    return lab != &mm_per_thread;
}

START_TEST(many_threads_that_sleep_have_no_records)
{
    if (!begin(_i))
        return;
    lab->free(lab->malloc(100));
    size_t before = metadata();
    sleepers_start();
    size_t each = (metadata() - before) / SLEEPERS;
    ck_assert_msg(each < 1300, "%zu bytes of records for each", each);
    sleepers_end();
    lab_end();
}
END_TEST

/* The lines that p's usable bytes lie in. */
static bool share_line(const char *p, const char *q)
{
    uintptr_t p_end = (uintptr_t)p + lab->usable_size(p) - 1;
    uintptr_t q_end = (uintptr_t)q + lab->usable_size(q) - 1;
    return (uintptr_t)p / NOVICE_LINE <= q_end / NOVICE_LINE &&
           (uintptr_t)q / NOVICE_LINE <= p_end / NOVICE_LINE;
}

START_TEST(novices_share_no_line)
{
    if (!begin(_i))
        return;
    sleepers_start();
    for (int i = AT_ONCE; i < SLEEPERS; i++)
        for (int other = AT_ONCE; other < i; other++)
            for (int k = 0; k < KEPT * KEPT; k++)
                demand(!share_line(kept[i][k % KEPT], kept[other][k / KEPT]));
    sleepers_end();
    lab_end();
}
END_TEST

/* A novice's blocks begin lines; of four from an arena of its own, not all. */
static void *work(void *unused)
{
    (void)unused;
    uintptr_t novice = 0, later = 0;
    for (unsigned i = 0; i < NOVICE_CALLS; i++) {
        void *p = lab->malloc(100);
        novice |= i ? 0 : (uintptr_t)p;
        lab->free(p);
    }
    void *p[4];
    for (int i = 0; i < 4; i++)
        later |= (uintptr_t)(p[i] = lab->malloc(100));
    demand(novice % NOVICE_LINE == 0 && later % NOVICE_LINE != 0);
    for (int i = 0; i < 4; i++)
        lab->free(p[i]);
    return NULL;
}

START_TEST(a_thread_that_goes_on_has_its_own)
{
    if (!begin(_i))
        return;
    sleepers_start();
    in_thread(work, NULL);
    sleepers_end();
    lab_end();
}
END_TEST

static void *resize(void *unused)
{
    (void)unused;
    char *p = lab->calloc(1, 10);
    for (size_t size = 20; size <= 10240; size *= 2) {
        p = lab->realloc(p, size);
        demand(p);
        for (size_t i = 0; i < size / 2; i++)
            demand(p[i] == (char)(i < 10 ? 0 : 'y'));
        memset(p + (size > 20 ? size / 2 : 10), 'y',
               size - (size > 20 ? size / 2 : 10));
    }
    demand(!lab->malloc(PTRDIFF_MAX));
    demand(!lab->malloc(PTRDIFF_MAX / 2));
    void *wide = lab->memalign(1 << 16, 100);
    demand(wide && (uintptr_t)wide % (1 << 16) == 0);
    lab->free(wide);
    lab->free(p);
    return NULL;
}

START_TEST(a_novice_may_call_all_functions)
{
    if (!begin(_i))
        return;
    sleepers_start();
    in_thread(resize, NULL);
    sleepers_end();
    lab_end();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {many_threads_that_sleep_have_no_records,
                                  novices_share_no_line,
                                  a_thread_that_goes_on_has_its_own,
                                  a_novice_may_call_all_functions, NULL};
    return run_variants("novice", tests);
}
