/* test_mm_threads.c - many threads at once, in each stage: blocks are made,
 * resized and freed by whoever comes, and none loses a byte. Run under
 * ThreadSanitizer too. */
#include "tests/limits.h"
#include "tests/mm_test.h"

#include <pthread.h>
#include <stdatomic.h>

#define NTHREADS 8
#define NSLOTS 400 /* blocks that are handed from thread to thread */

/* The start of each block; the rest of it is filled with fill. */
struct body {
    size_t size;
    unsigned char fill;
};

static _Atomic(struct body *) slots[NSLOTS];
static pthread_barrier_t barrier;
static size_t nops;

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t random_size(uint64_t *state)
{
    static const size_t most[] = {16, 112, 112, 1000, 1000, 6000};
    size_t limit = most[next_random(state) % 6];
    return sizeof(struct body) + next_random(state) % limit;
}

static struct body *body_fill(struct body *b, size_t size, unsigned char fill)
{
    ck_assert_ptr_nonnull(b);
    memset(b, fill, size);
    b->size = size;
    b->fill = fill;
    return b;
}

static void ck_body(const struct body *b)
{
    ck_filled(b + 1, b->size - sizeof *b, b->fill);
}

static struct body *body_new(uint64_t *state)
{
    size_t size = random_size(state);
    struct body *b;
    switch (next_random(state) % 8) {
    case 0:
        b = mm->calloc(1, size);
        ck_filled(b, size, 0);
        break;
    case 1: b = mm->memalign(256, size); break;
    default: b = mm->malloc(size);
    }
    return body_fill(b, size, (unsigned char)next_random(state));
}

static struct body *body_resize(struct body *b, uint64_t *state)
{
    size_t size = random_size(state), kept = b->size;
    unsigned char fill = b->fill;
    ck_body(b);
    b = mm->realloc(b, size);
    ck_assert_ptr_nonnull(b);
    if (size < kept)
        kept = size;
    ck_filled(b + 1, kept - sizeof *b, fill);
    return body_fill(b, size, fill);
}

static void body_free(struct body *b)
{
    if (!b)
        return;
    ck_body(b);
    mm->free(b);
}

/* Put a block into a slot. Whoever's was there is this thread's now: it resizes
 * or frees it. */
static void exchange(uint64_t *state)
{
    _Atomic(struct body *) *slot = &slots[next_random(state) % NSLOTS];
    struct body *b = NULL;
    if (next_random(state) % 8)
        b = body_new(state);
    b = atomic_exchange_explicit(slot, b, memory_order_acq_rel);
    if (b && next_random(state) % 4 == 0)
        b = body_resize(b, state);
    body_free(b);
}

static void *churn(void *number)
{
    uint64_t state = 88172645463325252ull + (uintptr_t)number;
    if (mm->thread_init)
        ck_assert_int_eq(mm->thread_init(), 0);
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < nops; i++)
        exchange(&state);
    if (mm->thread_exit)
        mm->thread_exit();
    return NULL;
}

static void run_threads(void *(*body)(void *))
{
    pthread_t threads[NTHREADS];
    pthread_barrier_init(&barrier, NULL, NTHREADS);
    for (uintptr_t i = 0; i < NTHREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    pthread_barrier_destroy(&barrier);
}

static void free_slots(void)
{
    for (int i = 0; i < NSLOTS; i++)
        body_free(
            atomic_exchange_explicit(&slots[i], NULL, memory_order_acquire));
}

START_TEST(blocks_go_from_thread_to_thread_whole)
{
    begin(_i);
    nops = 8000;
    run_threads(churn);
    ck_healthy();
    free_slots();
    ck_healthy();
}
END_TEST

START_TEST(threads_come_and_go_and_their_blocks_stay)
{
    begin(_i);
    nops = 300;
    size_t heap = 0;
    for (int round = 0; round < 20; round++) {
        run_threads(churn);
        if (round == 10)
            heap = mem_heapsize();
    }
    ck_assert_msg(mem_heapsize() < 2 * heap, "%s: %zu bytes, then %zu",
                  mm->name, heap, mem_heapsize());
    ck_healthy();
    free_slots();
    ck_healthy();
}
END_TEST

/* Without being told of the beginning and the end of threads. */
static void *churn_unannounced(void *number)
{
    uint64_t state = 1181783497276652981ull + (uintptr_t)number;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < nops; i++)
        exchange(&state);
    return NULL;
}

START_TEST(threads_need_not_announce_themselves)
{
    begin(_i);
    nops = 1000;
    for (int round = 0; round < 5; round++)
        run_threads(churn_unannounced);
    free_slots();
    ck_healthy();
}
END_TEST

/* All threads make, one frees: what was handed over comes back. */
static void *produce(void *number)
{
    uint64_t state = 2685821657736338717ull + (uintptr_t)number;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < nops; i++) {
        if (number == NULL) { /* the consumer */
            for (int s = 0; s < NSLOTS; s++)
                body_free(atomic_exchange_explicit(&slots[s], NULL,
                                                   memory_order_acq_rel));
            continue;
        }
        struct body *none = NULL, *b = body_new(&state);
        _Atomic(struct body *) *slot = &slots[next_random(&state) % NSLOTS];
        if (!atomic_compare_exchange_strong_explicit(
                slot, &none, b, memory_order_acq_rel, memory_order_relaxed))
            body_free(b);
    }
    return NULL;
}

START_TEST(what_one_thread_makes_another_frees)
{
    begin(_i);
    nops = 1500;
    run_threads(produce);
    ck_healthy();
    free_slots();
    ck_healthy();
}
END_TEST

/* Each thread takes what the one before left: were that given back each time,
 * every page would cost a fault each time. */
static void *use_and_leave(void *unused)
{
    enum { N = 256, SIZE = 16000 };
    static void *p[N];
    mm->thread_init();
    for (int i = 0; i < N; i++)
        p[i] = take(SIZE, 'x');
    for (int i = 0; i < N; i++)
        mm->free(p[i]);
    mm->thread_exit();
    return unused;
}

START_TEST(threads_that_follow_each_other_use_the_same_pages)
{
    enum { ROUNDS = 60, PAGES = 256 * 4 };
    struct rusage before, after;
    begin(_i);
    if (mm == &mm_arena_favorite)
        return; /* its threads use one arena after the other: those rest */
    getrusage(RUSAGE_SELF, &before);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_t thread;
        ck_assert_int_eq(pthread_create(&thread, NULL, use_and_leave, NULL), 0);
        pthread_join(thread, NULL);
    }
    getrusage(RUSAGE_SELF, &after);
    if (!SANITIZED)
        ck_assert_int_lt(after.ru_minflt - before.ru_minflt,
                         ROUNDS * PAGES / 6);
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        blocks_go_from_thread_to_thread_whole,
        threads_come_and_go_and_their_blocks_stay,
        threads_need_not_announce_themselves,
        what_one_thread_makes_another_frees,
        threads_that_follow_each_other_use_the_same_pages,
        NULL};
    return run_stage_tests("mm-threads", tests);
}
