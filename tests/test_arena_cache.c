/* test_arena_cache.c - thread caches of the arena stage: what waits in which
 * bin, how much, and that nothing stays when its thread ends. */
#include "tests/arena_test.h"

/* The bin that p, free or not, belongs in. */
static size_t bin_of(const void *p)
{
    size_t class = tag_class(page_tag(p));
    return class ? class : header_bin(block_size(payload_block(p)));
}

START_TEST(a_block_of_each_size_waits_in_the_bin_that_serves_it)
{
    for (size_t size = 1; size <= 2 * SLAB_MAX; size++) {
        void *p = take(size);
        size_t bin = bin_of(p);
        if (page_tag(p))
            ck_assert_uint_eq(bin, slab_class(max_size(size, 9)));
        ck_assert(!block_has_key(p));
        lab->free(p);
        ck_assert(block_has_key(p));
        ck_assert_ptr_eq(self()->cache.bins[bin].head, p);
        ck_assert_ptr_eq(lab->malloc(size), p);
        ck_assert(!block_has_key(p));
        lab->free(p);
        flush_own();
    }
    ck_sound();
}
END_TEST

START_TEST(a_bin_serves_what_it_promises_wherever_its_blocks_came_from)
{
    for (size_t size = 1; size <= 2 * SLAB_MAX; size++)
        for (size_t align = 16; align <= 512; align *= 2) {
            void *p = lab->memalign(align, size);
            ck_assert_ptr_nonnull(p);
            size_t bin = bin_of(p), head = page_tag(p) ? 0 : HEADER_SIZE;
            ck_assert_uint_lt(bin, ALL_BINS);
            ck_assert_uint_ge(lab->usable_size(p) + head, bin_bytes(bin));
            lab->free(p);
        }
    ck_sound();
}
END_TEST

/* Bins of headers cover all sizes: each has its own range, in order. */
START_TEST(a_bin_of_headers_has_the_sizes_from_its_first_to_the_next_bins)
{
    size_t before = header_bin(2 * ALIGN);
    ck_assert_uint_eq(before, NBINS);
    ck_assert_uint_ge(header_bin(ALIGN), ALL_BINS);
    ck_assert_uint_ge(header_bin(0), ALL_BINS);
    for (size_t size = 2 * ALIGN; size <= LARGE_BIN_MAX; size += ALIGN) {
        size_t i = header_bin(size);
        ck_assert(i == before || i == before + 1);
        ck_assert_uint_lt(i, ALL_BINS);
        ck_assert_uint_le(bin_bytes(i), size);
        if (!bin_is_large(i))
            ck_assert_uint_eq(bin_bytes(i), size);
        before = i;
    }
    ck_assert_uint_eq(before, ALL_BINS - 1);
    ck_assert_uint_ge(header_bin(LARGE_BIN_MAX + ALIGN), ALL_BINS);
}
END_TEST

START_TEST(large_blocks_wait_within_their_budget)
{
    static void *p[64];
    for (size_t size = 2000; size <= LARGE_BIN_MAX / 2; size *= 2) {
        for (int i = 0; i < 64; i++)
            p[i] = lab->malloc(size + (size_t)i * 16);
        for (int i = 0; i < 64; i++) {
            lab->free(p[i]);
            ck_assert_uint_le(self()->cache.large, self()->cache.budget);
        }
        size_t bytes = 0;
        for (size_t i = NBINS + SMALL_BINS; i < ALL_BINS; i++)
            bytes += chain_bytes(self()->cache.bins[i].head);
        ck_assert_uint_eq(bytes, self()->cache.large);
        ck_sound();
    }
    flush_own();
    ck_assert_uint_eq(self()->cache.large, 0);
}
END_TEST

/* Powers of two have headers on top. */
START_TEST(large_blocks_of_16_kib_as_asked_for_all_wait)
{
    void *p[8];
    for (size_t size = 2048; size <= (16 << 10); size *= 2) {
        size_t n = (16 << 10) / size;
        for (size_t i = 0; i < n; i++)
            p[i] = lab->malloc(size);
        ck_assert_uint_eq(self()->cache.large, 0);
        for (size_t i = 0; i < n; i++)
            lab->free(p[i]);
        ck_assert_uint_ge(self()->cache.large, n * size);
        ck_sound();
        flush_own();
    }
}
END_TEST

static pthread_barrier_t held;

static void *hold_lock(void *shard)
{
    struct shard *s = shard;
    lock_take_as(&s->lock, RANK_NONE);
    pthread_barrier_wait(&held);
    pthread_barrier_wait(&held);
    lock_drop(&s->lock);
    return NULL;
}

START_TEST(a_free_of_anothers_block_takes_no_lock_of_its_owner)
{
    take(100); /* this thread has a cache now */
    void *p = take_in_thread(100);
    struct shard *s = owner_of(p);
    pthread_barrier_init(&held, NULL, 2);
    pthread_t holder = thread_start(hold_lock, s);
    pthread_barrier_wait(&held);
    lab->free(p);
    pthread_barrier_wait(&held);
    thread_wait(holder);
    ck_assert_ptr_eq(outbox_slot(&self()->outbox, s->id)->first, p);
    ck_assert_ptr_ne(lab->malloc(100), p); /* it is another's */
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
    lab->free(wall);
    flush_own(); /* p came home */
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

/* A bin that is full keeps what it has; the rest goes back to its slabs. */
START_TEST(no_bin_has_more_than_it_has_room_for_when_all_is_freed)
{
    static void *p[20000];
    for (size_t size = 9; size <= 2 * SLAB_MAX; size += 120) {
        size_t n = min_size(200000 / size, 20000);
        for (size_t i = 0; i < n; i++)
            p[i] = take(size);
        const struct cache *c = &self()->cache;
        static unsigned had[ALL_BINS]; /* whole slabs, perhaps */
        for (size_t i = 1; i < ALL_BINS; i++)
            had[i] = bin_count(&c->bins[i]);
        for (size_t i = 0; i < n; i++)
            lab->free(p[i]);
        for (size_t i = 1; i < ALL_BINS; i++) {
            unsigned blocks = 0;
            for (const void *q = c->bins[i].head; q; q = *(void *const *)q)
                blocks++;
            ck_assert_uint_eq(blocks, bin_count(&c->bins[i]));
            ck_assert(c->bins[i].room >= 0 || blocks <= had[i]);
        }
        ck_sound();
    }
}
END_TEST

/* Else a thread that its bins serve would look at the clock too late. */
START_TEST(hits_of_bins_of_headers_count_as_uses)
{
    lab->free(take(2000));
    struct low_water *w = &self()->shard->activity.low_water;
    w->until = LOOK_MOST;
    for (int i = 0; i < HITS_MOST; i++)
        lab->free(take(2000));
    ck_assert_uint_le(w->until, LOOK_MOST - HITS_MOST);
}
END_TEST

/* They are served as one byte is, but nobody has looked into that bin. */
START_TEST(requests_for_no_byte_lose_nothing_that_waits)
{
    enum { N = 5000 };
    static void *p[N];
    lab->free(take(16));
    flush_own();
    size_t used = lab->used();
    for (int i = 0; i < N; i++)
        p[i] = take(16);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < N / 2; i++)
            lab->free(p[i]);
        for (int i = 0; i < N / 2; i++) {
            p[i] = lab->malloc(0);
            ck_assert_ptr_nonnull(p[i]);
        }
    }
    ck_sound();
    for (int i = 0; i < N; i++)
        lab->free(p[i]);
    flush_own();
    ck_assert_uint_eq(lab->used(), used);
    ck_sound();
}
END_TEST

/* Slabs are taken whole, be they more than the bin has room for. */
START_TEST(an_empty_bin_takes_all_free_blocks_of_a_slab)
{
    size_t n = 0;
    while (n < 100000 && !page_tag(take(32)))
        n++;
    flush_own();
    void *p = take(32);
    ck_assert_uint_eq(tag_class(page_tag(p)), 2);
    ck_assert_uint_gt(bin_count(&self()->cache.bins[2]), 1);
    ck_assert_ptr_null(payload_slab(p)->free);
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_block_of_each_size_waits_in_the_bin_that_serves_it,
        a_bin_serves_what_it_promises_wherever_its_blocks_came_from,
        a_bin_of_headers_has_the_sizes_from_its_first_to_the_next_bins,
        large_blocks_wait_within_their_budget,
        large_blocks_of_16_kib_as_asked_for_all_wait,
        a_free_of_anothers_block_takes_no_lock_of_its_owner,
        a_thread_that_ends_leaves_nothing_in_its_cache,
        no_bin_has_more_than_it_has_room_for_when_all_is_freed,
        an_empty_bin_takes_all_free_blocks_of_a_slab,
        hits_of_bins_of_headers_count_as_uses,
        requests_for_no_byte_lose_nothing_that_waits,
        NULL};
    return run_here("arena-cache", tests);
}
