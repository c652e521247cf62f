/* test_arena_cache.c - thread caches of the arena stage: what waits in which
 * bin, how much, and that nothing stays when its thread ends. */
#include "tests/arena_test.h"

START_TEST(a_block_of_each_small_size_waits_in_the_bin_that_serves_it)
{
    for (size_t size = 1; size <= BIN_MAX; size++) {
        void *p = take(size);
        size_t bin = request_bin(size);
        ck_assert_msg(payload_bin(p, page_tag(p)) == bin,
                      "%zu bytes: taken from bin %zu, freed to bin %zu", size,
                      bin, payload_bin(p, page_tag(p)));
        lab->free(p);
        ck_assert_ptr_eq(self()->cache.heads[bin], p);
        ck_assert_ptr_eq(lab->malloc(size), p);
        lab->free(p);
    }
    ck_sound();
}
END_TEST

START_TEST(a_bin_serves_what_it_promises_wherever_its_blocks_came_from)
{
    for (size_t size = 1; size <= 2 * BIN_MAX; size++)
        for (size_t align = 16; align <= 512; align *= 2) {
            void *p = lab->memalign(align, size);
            ck_assert_ptr_nonnull(p);
            size_t bin = payload_bin(p, page_tag(p));
            ck_assert(bin >= NBINS || lab->usable_size(p) >= bin_bytes(bin));
            lab->free(p);
        }
    ck_sound();
}
END_TEST

START_TEST(a_free_into_the_cache_takes_no_lock_whoever_owns_the_block)
{
    take(100); /* this thread has a cache now */
    void *p = take_in_thread(100);
    struct shard *s = owner_of(p);
    pthread_mutex_lock(&s->lock.mutex);
    lab->free(p);
    pthread_mutex_unlock(&s->lock.mutex);
    ck_assert_ptr_eq(lab->malloc(100), p);
}
END_TEST

static void *free_it(void *p)
{
    lab->free(take(100));
    lab->free(p);
    return NULL;
}

START_TEST(a_thread_that_ends_leaves_nothing_in_its_cache)
{
    void *p = take(100), *wall = take(40000);
    in_thread(free_it, p);
    flush_own(); /* p came home */
    lab->free(wall);
    for (uint32_t i = 0; i < shard_count(); i++) {
        const struct heap *h = &shard_at(i)->arena.heap;
        uint32_t link = h->regions;
        for (const struct region *r; link; link = r->next) {
            r = heap_region(h, link);
            const struct block *b = (const struct block *)(r + 1);
            ck_assert(!block_used(b) && block_is_end(block_next(b)));
        }
    }
    ck_sound();
}
END_TEST

/* The heap grows; bins that are emptied for it were not too small. */
START_TEST(bins_emptied_for_the_heap_do_not_grow)
{
    enum { N = 100000 };
    for (size_t i = 0; i < N; i++)
        take(1 + i * 7919 % BIN_MAX);
    for (size_t i = 1; i < NBINS; i++)
        lab->free(take(bin_bytes(i)));
    flush_own();
    for (size_t i = 0; i < N; i++)
        take(1 + i * 7919 % BIN_MAX);
    ck_assert_uint_eq(self()->cache.limits, 0);
    ck_sound();
}
END_TEST

START_TEST(bins_grow_and_stay_within_the_budget)
{
    static void *p[20000];
    struct cache *c = NULL;
    for (size_t round = 0; round < 40; round++)
        for (size_t size = 8; size <= BIN_MAX; size += 120) {
            size_t n = 100000 / size < 20000 ? 100000 / size : 20000;
            for (size_t i = 0; i < n; i++)
                p[i] = lab->malloc(size);
            for (size_t i = 0; i < n; i++)
                lab->free(p[i]);
            c = &self()->cache;
        }
    size_t budget = max_size(CACHE_BUDGET, self()->shard->arena.heap.size / 8);
    ck_assert_uint_gt(c->limits, 0);
    ck_assert_uint_le(c->limits, budget);
    for (size_t i = 1; i < NBINS; i++) {
        ck_assert_uint_ge(c->bins[i].limit, bin_first_limit(i));
        ck_assert_uint_le(c->bins[i].limit * bin_bytes(i), BIN_BYTES_MAX);
        ck_assert_uint_le(bin_count(c, i), c->bins[i].limit);
    }
    ck_sound();
}
END_TEST

START_TEST(a_bin_that_is_only_flushed_shrinks_to_its_first_limit)
{
    enum { N = 50000, SIZE = 64 };
    static void *p[N];
    size_t i = request_bin(SIZE);
    for (int round = 0; round < 50; round++) {
        for (int k = 0; k < 1000; k++)
            p[k] = lab->malloc(SIZE);
        for (int k = 0; k < 1000; k++)
            lab->free(p[k]);
    }
    ck_assert_uint_gt(self()->cache.bins[i].limit, 4 * bin_first_limit(i));
    for (int k = 0; k < N; k++)
        p[k] = lab->malloc(SIZE);
    for (int k = 0; k < N; k++)
        lab->free(p[k]);
    ck_assert_uint_eq(self()->cache.bins[i].limit, bin_first_limit(i));
    ck_assert_uint_eq(self()->cache.limits, 0);
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_block_of_each_small_size_waits_in_the_bin_that_serves_it,
        a_bin_serves_what_it_promises_wherever_its_blocks_came_from,
        a_free_into_the_cache_takes_no_lock_whoever_owns_the_block,
        a_thread_that_ends_leaves_nothing_in_its_cache,
        bins_emptied_for_the_heap_do_not_grow,
        bins_grow_and_stay_within_the_budget,
        a_bin_that_is_only_flushed_shrinks_to_its_first_limit,
        NULL};
    return run_here("arena-cache", tests);
}
