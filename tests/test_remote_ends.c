/* test_remote_ends.c - arena/remote.h where it is narrow: no more memory,
 * blocks that lose their owner, large ones, double frees that nobody saw at
 * once. */
#include "tests/remote_test.h"

#define HUGE ((size_t)1 << 20)

/* ---- no more memory ---------------------------------------------------- */

static void no_more_memory(void)
{
    for (size_t size = (size_t)1 << 40; size >= 64; size /= 2)
        while (mem_sbrk(size))
            ;
}

/* The batch is for a shard that was merged into this thread's. */
START_TEST(what_waits_with_who_needs_it_is_free_for_him)
{
    enum { N = 28 };
    make_elsewhere(N, 500);
    for (size_t i = 0; i < N; i++) /* those in the middle last */
        send_home(made[i % 2 ? N - 1 - i / 2 : i / 2]);
    ck_assert(adopt_one());
    no_more_memory();
    ck_assert_ptr_nonnull(lab->malloc(N * 500));
    ck_sound();
}
END_TEST

/* ---- realloc ----------------------------------------------------------- */

static pthread_barrier_t both;

/* Keep shard s locked until the other is likely to wait for it. */
static void *run_hold(void *s)
{
    struct shard *shard = s;
    lock_take(&shard->lock);
    pthread_barrier_wait(&both);
    usleep(20000);
    lock_drop(&shard->lock);
    return NULL;
}

START_TEST(a_large_block_that_shrinks_gives_its_memory_back)
{
    struct shard *s = make_elsewhere(1, HUGE);
    pthread_barrier_init(&both, NULL, 2);
    pthread_t holder = thread_start(run_hold, s);
    pthread_barrier_wait(&both);
    void *p = lab->realloc(made[0], LARGE);
    ck_assert_uint_lt(lab->usable_size(p), 2 * LARGE);
    thread_wait(holder);
    ck_sound();
}
END_TEST

START_TEST(a_large_block_that_fits_only_where_it_is_waits_to_grow_there)
{
    struct shard *s = make_elsewhere(1, HUGE);
    void *rest = made[0];
    no_more_memory();
    made[0] = lab->realloc(rest, HUGE / 2); /* its other half is free */
    pthread_barrier_init(&both, NULL, 2);
    pthread_t holder = thread_start(run_hold, s);
    pthread_barrier_wait(&both);
    ck_assert_ptr_eq(lab->realloc(made[0], HUGE - LARGE), made[0]);
    thread_wait(holder);
    ck_sound();
}
END_TEST

/* ---- inboxes ----------------------------------------------------------- */

START_TEST(mail_in_the_bin_serves_before_the_heap_grows)
{
    take(100 * LARGE); /* of such a heap the cache is worth little */
    made_size = 600;
    size_t n = (size_t)self()
                   ->cache.bins[header_bin(request_to_block(made_size))]
                   .limit;
    run_make((void *)n);
    in_thread(run_free_made, (void *)n);
    ck_assert(adopt_one()); /* now there is none to adopt */
    struct arena *a = &self()->shard->arena;
    while (arena_malloc(a, made_size)) /* and no place for one more */
        ;
    size_t size = a->heap.size;
    ck_assert(inbox_has_blocks(&self()->shard->inbox));
    ck_assert_ptr_nonnull(lab->malloc(made_size));
    ck_assert_uint_eq(a->heap.size, size);
    ck_assert_int_ge(
        self()->cache.bins[header_bin(request_to_block(made_size))].room, 0);
    ck_sound();
}
END_TEST

/* A shard as another thread would have it, with a block. */
static void *take_of_new(struct shard **s)
{
    lock_take(&registry.lock);
    *s = shard_acquire();
    lock_drop(&registry.lock);
    ck_assert_ptr_nonnull(*s);
    lock_take(&(*s)->lock);
    void *p = shard_grow(*s, ALIGN, LARGE);
    lock_drop(&(*s)->lock);
    ck_assert_ptr_nonnull(p);
    return p;
}

START_TEST(letters_get_home_when_ids_serve_anew)
{
    struct shard *a, *b;
    in_thread(run_nothing, NULL); /* blocks wait */
    take(1);
    void *p = take_of_new(&a), *q = take_of_new(&b);
    lab->free(p);
    ck_assert_ptr_eq(outbox_slot(&self()->outbox, a->id)->first, p);
    lock_take(&registry.lock);
    shards_reclaim();
    lock_drop(&registry.lock);
    lab->free(q);
    outbox_post(&self()->outbox);
    ck_assert_ptr_eq(a->inbox.chain, p);
    ck_assert_ptr_eq(b->inbox.chain, q);
    ck_sound();
}
END_TEST

/* ---- double frees ------------------------------------------------------ */

/* The second time p is not the last that was freed. */
static void free_again(void)
{
    void *p = take(100), *q = take(100);
    lab->free(p);
    lab->free(q);
    lab->free(p);
    lab->trim();
}

START_TEST(a_double_free_that_was_not_seen_at_once_is_told_in_the_end)
{
    ck_dies(free_again, "mm: double free");
    in_thread(run_nothing, NULL); /* now blocks wait */
    ck_dies(free_again, "mm: double free");
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_waits_with_who_needs_it_is_free_for_him,
        a_large_block_that_shrinks_gives_its_memory_back,
        a_large_block_that_fits_only_where_it_is_waits_to_grow_there,
        mail_in_the_bin_serves_before_the_heap_grows,
        letters_get_home_when_ids_serve_anew,
        a_double_free_that_was_not_seen_at_once_is_told_in_the_end,
        NULL};
    return run_here("remote-ends", tests);
}
