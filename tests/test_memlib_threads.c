/* test_memlib_threads.c - many threads move the break, take records and map at
 * once: nobody's memory is anybody else's, and the sums are right. */
#include "config.h"
#include "tests/memlib_test.h"

#include <pthread.h>

#define NTHREADS 8
#define NPIECES 1500

struct piece {
    uint32_t *at;
    size_t size; /* bytes */
};

struct worker {
    uint32_t number;
    struct piece heap[NPIECES], records[NPIECES];
    size_t extended; /* of heap's pieces, how often one grew in place */
};

static struct worker workers[NTHREADS];
static pthread_barrier_t barrier;

/* Zero as promised; from now on it says whose it is. */
static void stamp(void *p, size_t size, uint32_t number)
{
    uint32_t *word = p;
    for (size_t i = 0; i < size / sizeof *word; i++) {
        if (word[i])
            ck_abort_msg("memory for %u is of %u", number, word[i]);
        word[i] = number;
    }
}

static void ck_stamp(const struct piece *piece, uint32_t number)
{
    for (size_t i = 0; i < piece->size / sizeof *piece->at; i++)
        if (piece->at[i] != number)
            ck_abort_msg("memory of %u became that of %u", number,
                         piece->at[i]);
}

static struct piece take_heap(struct worker *w, size_t i)
{
    struct piece piece = {mem_sbrk(16 + i % 90 * 16), 16 + i % 90 * 16};
    ck_assert_ptr_nonnull(piece.at);
    stamp(piece.at, piece.size, w->number);
    for (size_t more = 16; more < 100; more += 32) {
        char *end = (char *)piece.at + piece.size;
        if (!mem_extend(end, more))
            break;
        stamp(end, more, w->number);
        piece.size += more;
        w->extended++;
    }
    return piece;
}

static struct piece take_record(const struct worker *w, size_t i)
{
    size_t size = CACHE_LINE * (1 + i % 5);
    struct piece piece = {mem_record(size), size};
    ck_assert_ptr_nonnull(piece.at);
    stamp(piece.at, piece.size, w->number);
    return piece;
}

static void map_and_unmap(const struct worker *w, size_t i)
{
    size_t size = 1 + i % 7 * 3000;
    char *p = mem_map(size, 1);
    ck_assert_ptr_nonnull(p);
    memset(p, (int)w->number, size);
    mem_unmap(p, size);
}

static void *work(void *arg)
{
    struct worker *w = arg;
    pthread_barrier_wait(&barrier);
    for (size_t i = 0; i < NPIECES; i++) {
        w->heap[i] = take_heap(w, i);
        w->records[i] = take_record(w, i);
        if (i % 16 == 0)
            map_and_unmap(w, i);
    }
    return NULL;
}

static void run_workers(void)
{
    pthread_t threads[NTHREADS];
    pthread_barrier_init(&barrier, NULL, NTHREADS);
    for (uint32_t i = 0; i < NTHREADS; i++) {
        workers[i].number = i + 1;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, work, &workers[i]),
                         0);
    }
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(threads_that_grow_the_heap_at_once_get_memory_of_their_own)
{
    size_t heap = 0, records = 0, extended = 0;
    run_workers();
    for (int w = 0; w < NTHREADS; w++) {
        for (int i = 0; i < NPIECES; i++) {
            ck_stamp(&workers[w].heap[i], workers[w].number);
            ck_stamp(&workers[w].records[i], workers[w].number);
            heap += workers[w].heap[i].size;
            records += workers[w].records[i].size;
        }
        extended += workers[w].extended;
    }
    ck_assert_uint_gt(extended, 0);
    ck_assert_uint_ge(mem_heapsize(), heap);
    ck_assert_uint_lt(mem_heapsize(), heap + NTHREADS * NPIECES * 64);
    ck_assert_uint_ge(mem_peak(), mem_heapsize());
    ck_assert_uint_eq(mem_recordsize(), records);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        threads_that_grow_the_heap_at_once_get_memory_of_their_own, NULL};
    return run_tests("memlib-threads", mem_begin, tests);
}
