/* test_arena_few.c - the arena stage with four arenas at most: threads share
 * them, and ids of merged ones serve again. */
#define MM_MAX_ARENAS 4
#include "tests/arena_test.h"

#include "tests/arena_stress.h"

#define WARM 600 /* blocks of 32 bytes, of which the last lie in a slab */

#define CROWD 16

static pthread_barrier_t all_here;

static void *hold_one(void *size)
{
    void *p = run_take_block(size);
    pthread_barrier_wait(&all_here); /* all have one now */
    pthread_barrier_wait(&all_here);
    return p;
}

START_TEST(more_threads_than_arenas_share_them)
{
    pthread_t threads[CROWD];
    pthread_barrier_init(&all_here, NULL, CROWD + 1);
    for (size_t i = 0; i < CROWD; i++)
        threads[i] = thread_start(hold_one, (void *)(uintptr_t)(i * 300));
    pthread_barrier_wait(&all_here);
    uint32_t users = 0;
    for (uint32_t i = 0; i < shard_count(); i++)
        users += shard_at(i)->users;
    ck_assert_uint_eq(shard_count(), MM_MAX_ARENAS);
    ck_assert_uint_eq(users, CROWD);
    ck_assert_uint_eq(norphans(), 0);
    ck_sound();
    pthread_barrier_wait(&all_here);
    for (size_t i = 0; i < CROWD; i++)
        lab->free(thread_wait(threads[i]));
    ck_assert_uint_eq(norphans(), MM_MAX_ARENAS);
    ck_sound();
}
END_TEST

/* Three arenas are used, then merged into main's, with blocks in use. */
static void *left[3];

static void fill_and_merge(void)
{
    pthread_t threads[3];
    take(100);
    pthread_barrier_init(&all_here, NULL, 4);
    for (size_t i = 0; i < 3; i++)
        threads[i] = thread_start(hold_one, (void *)(uintptr_t)(40 + i));
    pthread_barrier_wait(&all_here);
    pthread_barrier_wait(&all_here);
    for (size_t i = 0; i < 3; i++)
        left[i] = thread_wait(threads[i]);
    while (norphans())
        take(100000);
    ck_assert_uint_eq(nmerged(), 3);
    ck_sound();
}

START_TEST(ids_of_merged_arenas_serve_again_when_all_are_used_up)
{
    fill_and_merge();
    uint32_t mine = self()->shard->id;
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_ne(payload_owner(left[i]), mine);
    void *p = take_in_thread(100);
    ck_assert_uint_eq(shard_count(), MM_MAX_ARENAS);
    ck_assert_uint_ne(payload_owner(p), mine);
    ck_assert_ptr_ne(shard_of(p), self()->shard);
    for (size_t i = 0; i < 3; i++)
        ck_assert_uint_eq(payload_owner(left[i]), mine);
    ck_assert_uint_eq(nmerged(), 0);
    ck_assert_ptr_null(self()->shard->merged);
    ck_sound();
    for (size_t i = 0; i < 3; i++)
        lab->free(left[i]);
    lab->free(p);
    ck_sound();
}
END_TEST

START_TEST(reclaiming_gives_slabs_their_new_owner_too)
{
    void *p[WARM];
    fill_and_merge();
    void *q = take_in_thread(100); /* reclaims, and leaves an orphan */
    for (size_t i = 0; i < WARM; i++)
        p[i] = take_in_thread(32); /* in runs before long */
    ck_assert(page_tag(p[WARM - 1]));
    for (size_t i = 0; i < WARM; i += 2)
        lab->free(p[i]); /* on their way, some: in use for the orphan */
    while (adopt_one())
        ;
    ck_assert_ptr_nonnull(self()->shard->merged);
    lock_take(&registry.lock);
    shards_reclaim();
    lock_drop(&registry.lock);
    for (size_t i = 1; i < WARM; i += 2)
        ck_assert_uint_eq(payload_owner(p[i]), self()->shard->id);
    ck_sound();
    for (size_t i = 1; i < WARM; i += 2)
        lab->free(p[i]);
    lab->free(q);
    flush_own();
    ck_sound();
}
END_TEST

START_TEST(an_arena_is_an_orphan_only_when_its_last_user_is_gone)
{
    pthread_barrier_init(&all_here, NULL, 2);
    for (int i = 0; i < 3; i++) /* fill the table */
        ck_assert_ptr_nonnull(shard_acquire());
    take(100);
    ck_assert_uint_eq(shard_count(), MM_MAX_ARENAS);
    pthread_t thread = thread_start(hold_one, (void *)100);
    pthread_barrier_wait(&all_here);
    const struct shard *s = shard_at((registry.turn - 1) % MM_MAX_ARENAS);
    ck_assert_uint_eq(s->users, 2);
    pthread_barrier_wait(&all_here);
    ck_assert_ptr_eq(shard_of(thread_wait(thread)), s);
    ck_assert_uint_eq(s->users, 1);
    ck_assert_uint_eq(norphans(), 0);
    ck_sound();
}
END_TEST

START_TEST(random_traffic_is_sound_while_arenas_are_shared_and_reclaimed)
{
    for (int i = 0; i < 20 && shard_count() < MM_MAX_ARENAS; i++)
        stress(SANITIZED ? 4000 : 50000, 40);
    ck_assert_uint_eq(shard_count(), MM_MAX_ARENAS);
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        more_threads_than_arenas_share_them,
        ids_of_merged_arenas_serve_again_when_all_are_used_up,
        reclaiming_gives_slabs_their_new_owner_too,
        an_arena_is_an_orphan_only_when_its_last_user_is_gone,
        random_traffic_is_sound_while_arenas_are_shared_and_reclaimed,
        NULL};
    return run_here("arena-few", tests);
}
