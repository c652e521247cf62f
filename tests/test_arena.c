/* test_arena.c - shards of the arena stage: whose a block is, what becomes of a
 * dead thread's arena, what a resting one gives back; errno. */
#define HUGE_OVER ((size_t)1 << 40) /* all lies in the heap */
#include "tests/arena_test.h"

#define BIG ((size_t)40000)

/* ---- a dead thread's arena ------------------------------------------- */

START_TEST(a_needy_thread_gets_a_block_across_the_border_to_a_dead_ones_arena)
{
    char *low = take(BIG), *high = take_in_thread(BIG);
    ck_assert(low < high);
    ck_assert_ptr_ne(shard_of(low), shard_of(high));
    lab->free(low);
    lab->free(high);
    size_t before = mem_heapsize();
    char *across = take(BIG * 3 / 2);
    ck_assert(across < high && across + BIG * 3 / 2 > high);
    ck_assert_uint_eq(mem_heapsize(), before);
    ck_assert_uint_eq(norphans(), 0);
    ck_sound();
}
END_TEST

START_TEST(blocks_of_a_merged_arena_are_freed_where_its_id_leads)
{
    enum { N = 500 };
    void *p[N], *mine = take(100);
    for (size_t i = 0; i < N; i++)
        p[i] = take_in_thread(i * 7); /* runs too */
    uint32_t old = payload_owner(p[N - 1]);
    take(BIG); /* main's heap would have to grow: it adopts */
    ck_assert_uint_eq(norphans(), 0);
    ck_assert_uint_eq(payload_owner(p[N - 1]), old);
    ck_assert_uint_eq(owner_at(old)->id, self()->shard->id);
    for (size_t i = 0; i < N; i++) {
        ck_assert_ptr_eq(shard_of(p[i]), shard_of(mine));
        lab->free(p[i]);
    }
    ck_sound();
    flush_own();
    ck_sound();
    ck_assert_uint_eq(shard_at(old)->arena.heap.size, 0);
}
END_TEST

static void *resize_in_thread(void *p)
{
    return lab->realloc(p, 3 * BIG);
}

START_TEST(another_thread_resizes_a_block_of_a_merged_arena)
{
    take(100);
    char *p = take_in_thread(BIG);
    take(2 * BIG);
    p = in_thread(resize_in_thread, p);
    ck_assert_ptr_nonnull(p);
    for (size_t i = 0; i < BIG; i++)
        ck_assert(p[i] == 'x');
    lab->free(p);
    ck_sound();
}
END_TEST

START_TEST(a_new_thread_takes_over_an_orphan)
{
    take(100);
    void *p = take_in_thread(BIG);
    const struct shard *orphan = shard_of(p);
    ck_assert_uint_eq(norphans(), 1);
    lab->free(p);
    void *q = take_in_thread(BIG);
    ck_assert_ptr_eq(q, p);
    ck_assert_ptr_eq(shard_of(q), orphan);
    ck_assert_uint_eq(shard_count(), 2);
    ck_sound();
}
END_TEST

START_TEST(ten_thousand_threads_that_come_and_go_make_one_arena_more)
{
    take(100);
    for (int i = 0; i < (SANITIZED ? 500 : 10000); i++)
        lab->free(take_in_thread((size_t)i % 5000));
    ck_assert_uint_eq(shard_count(), 2);
    struct mm_stats stats;
    lab->stats(&stats);
    ck_assert_uint_lt(stats.metadata, 64 * 1024);
    ck_assert_uint_lt(stats.heap, 256 * 1024);
    ck_sound();
}
END_TEST

/* Hold p for a while: the last hundred such blocks are in use. */
static void keep(void *p)
{
    static void *kept[100];
    static size_t n;
    lab->free(kept[n % 100]);
    kept[n++ % 100] = p;
}

static void *take_ten(void *unused)
{
    (void)unused;
    for (size_t i = 0; i < 10; i++)
        lab->free(take(i * 50));
    return NULL;
}

/* Needy threads take in orphans; their ids are lost until reclaimed. */
START_TEST(eight_threads_at_a_time_make_a_bounded_number_of_arenas)
{
    enum { N = SANITIZED ? 1000 : 10000 };
    pthread_t threads[8];
    for (int i = 0; i < N; i++) {
        if (i >= 8)
            thread_wait(threads[i % 8]);
        threads[i % 8] = thread_start(take_ten, NULL);
        if (i % 4 == 0)
            keep(take((size_t)i * 10));
    }
    for (int i = 0; i < 8; i++)
        thread_wait(threads[i]);
    ck_assert_uint_le(shard_count(), 9 * (1 + MERGED_MIN));
    /* Of the last eight at least one is left. If it has plenty, this thread
     * works there first. */
    for (int i = 0; i < 20 && nmerged() == 0; i++)
        take((size_t)N * 100);
    ck_assert_uint_gt(nmerged(), 0);
    ck_sound();
}
END_TEST

/* ---- waste ----------------------------------------------------------- */

static pthread_barrier_t asleep;

/* Leaves free blocks of 64 KiB between small ones, and sleeps. */
static void *waste_and_sleep(void *unused)
{
    enum { N = 40 };
    void *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = take(64 << 10);
        take(100);
    }
    for (int i = 0; i < N; i++)
        lab->free(p[i]);
    pthread_barrier_wait(&asleep);
    pthread_barrier_wait(&asleep);
    return unused;
}

static bool resident(const struct block *b)
{
    return free_dirty(b, block_size(b)) > 0;
}

/* Time passes without a use of s. */
static void let_rest(struct shard *s)
{
    s->activity.seen = s->activity.uses;
    s->activity.seen_at = clock_ms() - IDLE_MS;
}

START_TEST(a_shard_gives_back_small_waste_when_it_rests)
{
    take(1);
    pthread_barrier_init(&asleep, NULL, 2);
    pthread_t thread = thread_start(waste_and_sleep, NULL);
    pthread_barrier_wait(&asleep);
    struct shard *s = shard_at(1);
    const struct heap *h = &s->arena.heap;
    unsigned c = size_class(64 << 10);
    const struct block *b =
        link_block(h->fit.base, h->fit.heads[next_class(&h->fit, c)]);
    ck_assert(block_size(b) < PURGE_MIN && resident(b));
    take(2 * PURGE_STEP); /* a record; but s was used a moment ago */
    ck_assert(resident(b));
    ck_assert_uint_eq(s->activity.seen, s->activity.uses);
    let_rest(s);
    take(4 * PURGE_STEP);
    ck_assert(!resident(b));
    ck_assert_uint_eq(s->activity.swept, s->activity.uses);
    ck_sound();
    pthread_barrier_wait(&asleep);
    thread_wait(thread);
}
END_TEST

START_TEST(the_record_follows_what_a_look_gave_back)
{
    const size_t mib = PURGE_STEP;
    /* nothing: a step more; or what there is, if that is more */
    ck_assert_uint_eq(high_water_after(100 * mib, 100 * mib + 1, 0, mib),
                      101 * mib);
    ck_assert_uint_eq(high_water_after(10 * mib, 30 * mib, 0, mib), 30 * mib);
    /* too little: so much more, a quarter at most */
    ck_assert_uint_eq(
        high_water_after(100 * mib, 101 * mib, 11 * mib, 12 * mib), 112 * mib);
    ck_assert_uint_eq(
        high_water_after(100 * mib, 101 * mib, 11 * mib, 40 * mib), 125 * mib);
    ck_assert_uint_eq(high_water_after(mib, 2 * mib, 1, 2), 2 * mib);
    /* enough: the same again */
    ck_assert_uint_eq(
        high_water_after(100 * mib, 104 * mib, 13 * mib, 13 * mib), 100 * mib);
    ck_assert_uint_eq(high_water_after(10 * mib, 100 * mib, 40 * mib, 12 * mib),
                      60 * mib);
    /* more than was counted */
    ck_assert_uint_eq(high_water_after(mib, 2 * mib, 3 * mib, mib), mib);

    ck_assert(!is_step(7 * mib, 6 * mib) && !is_step(5 * mib, 6 * mib));
    ck_assert(is_step(7 * mib + 1, 6 * mib) && is_step(5 * mib - 1, 6 * mib));
}
END_TEST

START_TEST(others_waste_is_taken_only_for_more_than_was_ever_resident)
{
    take(1);
    lab->free(take(20 * PURGE_STEP));
    let_rest(self()->shard);
    pthread_barrier_init(&asleep, NULL, 2);
    pthread_t thread = thread_start(waste_and_sleep, NULL); /* a record */
    pthread_barrier_wait(&asleep);
    ck_assert_uint_gt(self()->shard->arena.heap.clean, 19 * PURGE_STEP);
    struct shard *s = shard_at(1);
    let_rest(s);
    take(10 * PURGE_STEP); /* there was more */
    ck_assert_uint_eq(s->arena.heap.clean, 0);
    take(20 * PURGE_STEP);
    ck_assert_uint_gt(s->arena.heap.clean, 0);
    ck_sound();
    pthread_barrier_wait(&asleep);
    thread_wait(thread);
}
END_TEST

START_TEST(no_more_goes_back_than_is_needed)
{
    enum { N = 3 };
    pthread_t threads[N];
    size_t gave = 0, clean[N + 1];
    take(1);
    pthread_barrier_init(&asleep, NULL, N + 1);
    for (int i = 0; i < N; i++)
        threads[i] = thread_start(waste_and_sleep, NULL);
    pthread_barrier_wait(&asleep);
    for (uint32_t i = 1; i <= N; i++) {
        let_rest(shard_at(i));
        clean[i] = shard_at(i)->arena.heap.clean; /* what is new */
    }
    take(8 * PURGE_STEP); /* needs 2 MiB: what one of them wastes */
    for (uint32_t i = 1; i <= N; i++)
        gave += shard_at(i)->arena.heap.clean > clean[i];
    ck_assert_uint_eq(gave, 1);
    ck_sound();
    pthread_barrier_wait(&asleep);
    for (int i = 0; i < N; i++)
        thread_wait(threads[i]);
}
END_TEST

START_TEST(what_a_thread_gives_back_itself_is_counted)
{
    void *p = take(80 << 20);
    size_t with = totals()->resident;
    lab->free(p); /* purged at once */
    ck_assert_uint_gt(with, (size_t)80 << 20);
    ck_assert_uint_lt(totals()->resident, 2 * PURGE_STEP);
}
END_TEST

/* ---- errno, hooks ---------------------------------------------------- */

START_TEST(free_keeps_errno_whatever_it_does)
{
    static void *p[3000];
    void *large = take(80 << 20), *small = take(100);
    for (int i = 0; i < 3000; i++)
        p[i] = take(500);
    errno = 4711;
    lab->free(NULL);
    for (int i = 0; i < 3000; i++) /* into the bin, and flushed */
        lab->free(p[i]);
    lab->free(small);
    lab->free(large); /* purged at once */
    ck_assert_uint_eq(self()->shard->arena.heap.dirty, 0);
    ck_assert_int_eq(errno, 4711);
}
END_TEST

START_TEST(what_cannot_be_had_is_null_and_enomem)
{
    errno = 0;
    ck_assert_ptr_null(lab->malloc((size_t)1 << 46));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(lab->malloc(PTRDIFF_MAX));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    ck_assert_ptr_null(lab->memalign((size_t)1 << 62, 16));
    ck_assert_int_eq(errno, ENOMEM);
    errno = 0;
    void *p = take(100);
    ck_assert_ptr_null(lab->realloc(p, (size_t)1 << 46));
    ck_assert_int_eq(errno, ENOMEM);
    lab->free(p);
    ck_sound();
}
END_TEST

START_TEST(the_stage_starts_anew_after_fini)
{
    for (int i = 0; i < 3; i++) {
        take_in_thread(BIG);
        take(100);
        ck_assert_uint_eq(shard_count(), 1);
        ck_sound();
        lab->fini();
        ck_assert_int_eq(lab->init(), 0);
        ck_assert_uint_eq(mem_heapsize(), 0);
    }
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_needy_thread_gets_a_block_across_the_border_to_a_dead_ones_arena,
        blocks_of_a_merged_arena_are_freed_where_its_id_leads,
        another_thread_resizes_a_block_of_a_merged_arena,
        a_new_thread_takes_over_an_orphan,
        ten_thousand_threads_that_come_and_go_make_one_arena_more,
        eight_threads_at_a_time_make_a_bounded_number_of_arenas,
        a_shard_gives_back_small_waste_when_it_rests,
        the_record_follows_what_a_look_gave_back,
        others_waste_is_taken_only_for_more_than_was_ever_resident,
        no_more_goes_back_than_is_needed,
        what_a_thread_gives_back_itself_is_counted,
        free_keeps_errno_whatever_it_does,
        what_cannot_be_had_is_null_and_enomem,
        the_stage_starts_anew_after_fini,
        NULL};
    return run_here("arena", tests);
}
