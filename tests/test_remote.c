/* test_remote.c - arena/remote.h: what a thread frees beyond its bins takes no
 * lock each time, gets home, and waits for nobody who does not come. */
#include "tests/remote_test.h"

static size_t chain_length(const void *p)
{
    size_t n = 0;
    for (; p; p = *(void *const *)p)
        n++;
    return n;
}

static size_t mail_of(uint32_t id)
{
    const void *chain = atomic_load(&shard_at(id)->inbox.chain);
    return chain == INBOX_CLOSED ? 0 : chain_length(chain);
}

static const struct batch *batch_for(uint32_t id)
{
    return outbox_slot(&self()->outbox, id);
}

/* ---- others' ----------------------------------------------------------- */

START_TEST(an_own_block_waits_in_a_bin_at_once)
{
    void *p = take(LARGE), *wall = take(LARGE);
    in_thread(run_nothing, NULL); /* there are locks from now on */
    lab->free(p);
    size_t i = header_bin(block_size(payload_block(p)));
    ck_assert_ptr_eq(self()->cache.bins[i].head, p);
    flush_own();
    ck_assert(!block_used(payload_block(p)));
    lab->free(wall);
    ck_sound();
}
END_TEST

START_TEST(many_blocks_go_home_at_once_and_need_no_lock)
{
    uint32_t id = make_elsewhere(OUTBOX_BLOCKS, 500)->id;
    struct shard *to = shard_at(id);
    lock_take(&to->lock); /* as if its owner were at work */
    for (size_t i = 0; i < OUTBOX_BLOCKS - 1; i++)
        send_home(made[i]);
    ck_assert_uint_eq(mail_of(id), 0);
    ck_assert_uint_eq(batch_for(id)->blocks, OUTBOX_BLOCKS - 1);
    send_home(made[OUTBOX_BLOCKS - 1]);
    lock_drop(&to->lock);
    ck_assert_uint_eq(mail_of(id), OUTBOX_BLOCKS);
    ck_assert_ptr_null(batch_for(id)->to);
    ck_sound();
}
END_TEST

START_TEST(a_long_inbox_waits_when_its_owner_is_at_work)
{
    enum { N = 100 };
    uint32_t id = make_elsewhere(N, LARGE)->id;
    struct shard *to = shard_at(id);
    lock_take(&to->lock);
    for (size_t i = 0; i < N; i++)
        send_home(made[i]);
    outbox_post(&self()->outbox);
    ck_assert_uint_eq(mail_of(id), N);
    lock_drop(&to->lock);
    ck_assert(adopt_one());
    ck_assert_uint_eq(stage_used(), 2 * MIN_BLOCK); /* take(1) */
    ck_sound();
}
END_TEST

START_TEST(realloc_of_anothers_block_does_not_wait_for_its_owner)
{
    void *room = take(2 * LARGE), *wall = take(LARGE);
    uint32_t id = make_elsewhere(1, LARGE)->id;
    lab->free(room); /* no orphan is needed */
    lock_take_as(&shard_at(id)->lock, RANK_NONE);
    void *p = lab->realloc(made[0], LARGE - 1000); /* it may stay, as it is */
    ck_assert_ptr_eq(p, made[0]);
    ck_assert_uint_ge(lab->usable_size(p), LARGE);
    p = lab->realloc(p, 2 * LARGE); /* must move */
    ck_assert_ptr_ne(p, made[0]);
    ck_assert_int_eq(*((char *)p + LARGE - 1001), 'x');
    lock_drop(&shard_at(id)->lock);
    lab->free(wall);
    ck_sound();
}
END_TEST

START_TEST(anothers_large_block_goes_home_at_once)
{
    uint32_t id = make_elsewhere(2, WAIT_BYTES)->id;
    lab->free(made[0]);
    ck_assert(!block_used(payload_block(made[0])));
    ck_assert_ptr_null(batch_for(id)->to);
    ck_assert_uint_eq(mail_of(id), 0);
    ck_sound();
}
END_TEST

START_TEST(an_owner_that_does_not_come_has_a_short_inbox)
{
    enum { N = 998 };
    uint32_t id = make_elsewhere(N, LARGE)->id;
    for (size_t i = 0; i < N; i++) {
        lab->free(made[i]);
        ck_assert_uint_le(shard_at(id)->inbox_bytes, INBOX_BYTES);
        ck_assert_uint_le(mail_of(id) * LARGE, INBOX_BYTES);
    }
    ck_assert_uint_gt(mail_of(id), 0);
    ck_assert_uint_eq(stage_used(), 2 * MIN_BLOCK); /* take(1) */
    ck_sound();
}
END_TEST

/* The next thread gets the shard, and what lay in the inbox: it goes to bins
 * with blocks of their size with headers. */
static void *run_take_one(void *unused)
{
    (void)unused;
    void *p = take(400);
    size_t i = header_bin(request_to_block(400));
    const struct bin *bin = &self()->cache.bins[i];
    ck_assert_uint_gt(bin_count(bin), 0);
    ck_assert_int_eq(bin->room, 1); /* p was the last of many */
    ck_assert_uint_eq(mail_of(self()->shard->id), 0);
    return p;
}

START_TEST(mail_fills_the_bins_of_who_takes_it)
{
    uint32_t id = make_elsewhere(OUTBOX_BLOCKS, 400)->id;
    for (size_t i = 0; i < OUTBOX_BLOCKS; i++)
        send_home(made[i]);
    ck_assert_uint_eq(mail_of(id), OUTBOX_BLOCKS);
    lab->free(in_thread(run_take_one, NULL));
    ck_sound();
}
END_TEST

/* ---- ends -------------------------------------------------------------- */

START_TEST(a_thread_that_ends_keeps_nothing)
{
    made_size = LARGE;
    run_make((void *)3); /* this thread's */
    in_thread(run_free_made, (void *)3);
    ck_assert_uint_eq(mail_of(self()->shard->id), 3);
    ck_assert_uint_eq(stage_used(), 2 * MIN_BLOCK); /* its take(1) */
    ck_sound();
}
END_TEST

/* A batch outlives the shard that it is for: that is merged, and its record
 * serves another thread. The thread that takes the batch looks at each block.
 */
START_TEST(blocks_of_a_letter_go_to_who_has_them_now)
{
    uint32_t id = make_elsewhere(1, LARGE)->id;
    void *old = made[0];
    lab->free(old);
    ck_assert_ptr_eq(batch_for(id)->first, old);
    ck_assert(adopt_one()); /* old is this thread's now */
    lock_take(&registry.lock);
    shards_reclaim();
    lock_drop(&registry.lock);
    ck_assert_uint_eq(make_elsewhere(1, LARGE)->id, id);
    lab->free(made[0]);
    ck_assert_ptr_eq(batch_for(id)->first, made[0]);
    ck_assert_ptr_eq(batch_for(id)->last, old);
    outbox_post(&self()->outbox);
    ck_assert_uint_eq(mail_of(id), 2);
    ck_assert(block_used(payload_block(old)));
    ck_assert(adopt_one());
    flush_own();
    ck_assert(!block_used(payload_block(old)));
    ck_assert_uint_eq(stage_used(), 4 * MIN_BLOCK); /* take(1), twice */
    ck_sound();
}
END_TEST

START_TEST(an_orphans_inbox_is_free_before_it_is_merged)
{
    uint32_t id = make_elsewhere(4, LARGE)->id;
    for (size_t i = 0; i < 4; i++)
        lab->free(made[i]);
    outbox_post(&self()->outbox);
    ck_assert_uint_eq(mail_of(id), 4);
    ck_assert(adopt_one());
    ck_assert_uint_eq(mail_of(id), 0);
    ck_assert_uint_eq(stage_used(), 2 * MIN_BLOCK); /* take(1) */
    ck_sound();
}
END_TEST

static void free_made_twice(void)
{
    lab->free(made[0]);
    lab->free(made[0]);
}

START_TEST(a_block_that_waits_and_is_freed_again_is_told)
{
    make_elsewhere(1, LARGE);
    ck_dies(free_made_twice, "mm: double free");
}
END_TEST

START_TEST(mail_in_the_wrong_shard_goes_on_to_the_right_one)
{
    void *own = take(LARGE);
    struct shard *other = make_elsewhere(2, LARGE);
    ck_assert(inbox_push_remote(&other->inbox, own, own));
    ck_assert(shard_try(other, ORPHAN));
    shard_free_inbox(other, other);
    lock_drop(&other->lock);
    ck_assert(block_used(payload_block(own)));
    ck_assert_ptr_eq(batch_for(self()->shard->id)->first, own);
    flush_own();
    ck_assert(!block_used(payload_block(own)));
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        an_own_block_waits_in_a_bin_at_once,
        many_blocks_go_home_at_once_and_need_no_lock,
        a_long_inbox_waits_when_its_owner_is_at_work,
        realloc_of_anothers_block_does_not_wait_for_its_owner,
        anothers_large_block_goes_home_at_once,
        an_owner_that_does_not_come_has_a_short_inbox,
        mail_fills_the_bins_of_who_takes_it,
        a_thread_that_ends_keeps_nothing,
        blocks_of_a_letter_go_to_who_has_them_now,
        an_orphans_inbox_is_free_before_it_is_merged,
        a_block_that_waits_and_is_freed_again_is_told,
        mail_in_the_wrong_shard_goes_on_to_the_right_one,
        NULL};
    return run_here("remote", tests);
}
