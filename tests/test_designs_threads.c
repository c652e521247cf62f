/* test_designs_threads.c - threads that free each other's blocks, in each
 * design. How they come and go: test_designs_ends.c. */
#include "tests/designs_test.h"

#include <stdatomic.h>

/* ---- mailboxes --------------------------------------------------------- */

#define THREADS 8
#define BOXES 64

struct body {
    size_t size; /* with this head; all behind it is mark */
    char mark;
    char bytes[];
};

static _Atomic(struct body *) boxes[BOXES];
static pthread_barrier_t barrier;
static unsigned rounds;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state >> 11;
}

static struct body *body_new(uint64_t *state)
{
    static const size_t most[] = {60, 60, 300, 300, 3000, 40000};
    uint64_t r = next_random(state);
    size_t size = sizeof(struct body) + (r >> 8) % most[r % 6];
    struct body *b = mm->malloc(size);
    demand(b && (uintptr_t)b % 16 == 0);
    memset(b, (int)(r >> 4), size);
    b->size = size;
    b->mark = (char)(r >> 4);
    return b;
}

static void body_look(const struct body *b, size_t size)
{
    for (size_t i = 0; i < size - sizeof *b; i++)
        demand(b->bytes[i] == b->mark);
}

static void body_free(struct body *b)
{
    if (b)
        body_look(b, b->size);
    mm->free(b);
}

/* Shorter or longer, whoever made it. */
static struct body *body_resize(struct body *b, uint64_t r)
{
    size_t old = b->size, size = sizeof *b + (r >> 8) % 4000;
    b = mm->realloc(b, size);
    demand(b);
    body_look(b, old < size ? old : size);
    memset(b, b->mark, size);
    char mark = *(char *)b;
    b->size = size;
    b->mark = mark;
    return b;
}

/* Put a block into some box, and do something with what was there. */
static void *exchange(void *seed)
{
    uint64_t state = 88172645463325252u + (uintptr_t)seed * 7919;
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < rounds; i++) {
        struct body *b = body_new(&state);
        uint64_t r = next_random(&state);
        if (r % 8 == 0)
            b = body_resize(b, r);
        b = atomic_exchange_explicit(&boxes[(r >> 3) % BOXES], b,
                                     memory_order_acq_rel);
        if (b && r % 16 == 1)
            b = body_resize(b, r);
        body_free(b);
    }
    return NULL;
}

static void run_threads(void)
{
    pthread_t threads[THREADS];
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (size_t i = 0; i < THREADS; i++)
        threads[i] = thread_start(exchange, (void *)(i + 1));
    for (size_t i = 0; i < THREADS; i++)
        thread_wait(threads[i]);
    pthread_barrier_destroy(&barrier);
}

START_TEST(blocks_go_from_thread_to_thread_whole)
{
    begin(_i);
    rounds = SANITIZED ? 3000 : 20000;
    for (int generation = 0; generation < 3; generation++) {
        run_threads();
        ck_healthy();
    }
    for (int i = 0; i < BOXES; i++)
        body_free(atomic_exchange(&boxes[i], NULL));
    ck_healthy();
}
END_TEST

/* ---- remote frees ------------------------------------------------------ */

enum { BATCH = 2000 };
static char *batch[BATCH];
static pthread_barrier_t turn;

static void *consume(void *arg)
{
    for (unsigned i = 0; i < rounds; i++) {
        pthread_barrier_wait(&turn);
        for (int k = 0; k < BATCH; k++)
            mm->free(batch[k]);
        pthread_barrier_wait(&turn);
    }
    return arg;
}

/* A thread that only allocates, another that only frees. */
START_TEST(what_another_thread_frees_its_owner_uses_again)
{
    begin(_i);
    rounds = 50;
    pthread_barrier_init(&turn, NULL, 2);
    pthread_t consumer = thread_start(consume, NULL);
    size_t first = 0;
    for (unsigned i = 0; i < rounds; i++) {
        for (int k = 0; k < BATCH; k++)
            batch[k] = take(16 + (size_t)k % 500, k);
        pthread_barrier_wait(&turn);
        pthread_barrier_wait(&turn);
        if (i == 3)
            first = stats_now().heap;
    }
    thread_wait(consumer);
    ck_assert_uint_le(stats_now().heap, first * 5 / 4);
    ck_healthy();
}
END_TEST

static void *free_it(void *p)
{
    mm->free(p);
    return NULL;
}

START_TEST(a_thread_that_only_frees_needs_no_heap)
{
    begin(_i);
    char *p = take(100, 1), *q = take(5 * MIB, 1);
    size_t before = stats_now().heap;
    in_thread(free_it, p);
    in_thread(free_it, q);
    ck_assert_uint_le(stats_now().heap, before);
    ck_healthy();
}
END_TEST

/* ---- gigabytes --------------------------------------------------------- */

/* All of them are there at once: how many else depends on who gets on. */
static void *take_a_gib(void *arg)
{
    (void)arg;
    char *p = mm->malloc(GIB);
    demand(p);
    p[0] = p[GIB / 2] = p[GIB - 1] = 1;
    pthread_barrier_wait(&barrier);
    return p;
}

/* Under a sanitizer or qemu eight: they have a record of each page, 6 MiB of a
 * GiB with qemu. */
START_TEST(sixty_four_threads_get_a_gib_each)
{
    pthread_t threads[64];
    bool few = SANITIZED || emulated();
    int n = few ? 8 : 64;
    small_pages();
    begin(_i);
    pthread_barrier_init(&barrier, NULL, (unsigned)n);
    for (int i = 0; i < n; i++)
        threads[i] = thread_start(take_a_gib, NULL);
    for (int i = 0; i < n; i++)
        mm->free(thread_wait(threads[i]));
    if (!SANITIZED)
        ck_assert_uint_lt(process_bytes("RssAnon"), (few ? 128 : 64) * MIB);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        blocks_go_from_thread_to_thread_whole,
        what_another_thread_frees_its_owner_uses_again,
        a_thread_that_only_frees_needs_no_heap,
        sixty_four_threads_get_a_gib_each, NULL};
    return run_design_tests("designs-threads", tests);
}
