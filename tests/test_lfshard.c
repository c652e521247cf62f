/* test_lfshard.c - lockfree/ from inside: merging and ids that
 * serve anew, sends that cannot arrive. */
#include "tests/lf_inside.h"
#include "tests/run_tests.h"

#include <signal.h>
#include <sys/wait.h>

/* ---- merging --------------------------------------------------------- */

START_TEST(a_merged_shards_blocks_belong_to_who_took_it_in)
{
    void *mine = take_block(2000), *p = take_in_thread(2000);
    struct shard *s = self()->shard, *o = owner_of(p);
    ck_assert_ptr_ne(s, o);
    ck_assert_int_eq(shard_status(o), ORPHAN);
    ck_assert(shard_relieve(s, NEVER_RICH));
    ck_assert_int_eq(shard_status(o), MERGED);
    ck_assert_ptr_eq(owner_of(p), s);
    ck_assert(!inbox_push_remote(&o->inbox, p, p));
    lab->free(p);
    lab->free(mine);
    ck_sound();
}
END_TEST

START_TEST(what_lay_in_a_merged_shards_inbox_is_freed)
{
    lab->free(take_block(8));
    struct shard *s = self()->shard;
    void *p = take_in_thread(20000);
    ck_assert(shard_status(owner_of(p)) == ORPHAN);
    send(p, p);
    ck_assert(shard_relieve(s, NEVER_RICH));
    ck_assert(!block_used(payload_block(p)));
    ck_sound();
}
END_TEST

START_TEST(ids_serve_anew_so_that_threads_without_end_need_few)
{
    void *kept[100];
    lab->free(take_block(8));
    struct shard *s = self()->shard;
    for (int round = 0; round < 100; round++) {
        kept[round] = take_in_thread(3000);
        while (shard_relieve(s, NEVER_RICH))
            ;
    }
    ck_assert_uint_le(shard_count(), MERGED_MIN + 40);
    ck_sound();
    for (int round = 0; round < 100; round++)
        lab->free(kept[round]);
    ck_sound();
}
END_TEST

START_TEST(a_block_that_reached_a_wrong_shard_is_sent_on)
{
    lab->free(take_block(8));
    struct shard *s = self()->shard, *other = shard_acquire();
    void *p = take_in_thread(20000);
    while (shard_relieve(s, NEVER_RICH))
        ;
    ck_assert_ptr_eq(owner_of(p), s);
    ck_assert(inbox_push_remote(&other->inbox, p, p));
    drain(other);
    ck_assert(block_used(payload_block(p))); /* on its way */
    outbox_post(&thread_of(other)->outbox);
    ck_assert_ptr_eq(inbox_take_owner(&s->inbox), p);
    lab->free(p);
    shard_push_orphan(other);
    ck_sound();
}
END_TEST

/* Thieves look at all shards that there are. */
START_TEST(a_new_shard_is_no_ones_until_it_is_acquired)
{
    struct shard *s = shard_make();
    ck_assert_int_eq(shard_status(s), SPARE);
    atomic_store(&s->process, process_number());
    ck_assert(!shard_steal(s));
    state_set(s, OWNED);
    shard_push_orphan(s);
    ck_sound();
}
END_TEST

START_TEST(a_send_by_a_header_that_names_a_merged_shard_dies)
{
    lab->free(take_block(8));
    void *p = take_in_thread(20000);
    struct shard *o = owner_of(p);
    while (shard_relieve(self()->shard, NEVER_RICH))
        ;
    merged_release(self()->shard);
    ck_assert_int_eq(shard_status(o), SPARE);
    header_set_owner(payload_block(p), o->id);
    send(p, p);
}
END_TEST

START_TEST(a_send_to_a_closed_shard_of_the_parents_is_lost_and_ends)
{
    lab->free(take_block(8));
    void *p = take_in_thread(20000);
    struct shard *o = owner_of(p);
    inbox_close_owner(&o->inbox); /* this page came later than owners[] */
    pid_t pid = fork();
    if (pid == 0) {
        send(p, p);
        _exit(0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lfshard");
    TCase *tc = tcase_create("lfshard");
    tcase_add_checked_fixture(tc, here_begin, NULL);
    tcase_add_test(tc, a_merged_shards_blocks_belong_to_who_took_it_in);
    tcase_add_test(tc, what_lay_in_a_merged_shards_inbox_is_freed);
    tcase_add_test(tc, ids_serve_anew_so_that_threads_without_end_need_few);
    tcase_add_test(tc, a_block_that_reached_a_wrong_shard_is_sent_on);
    tcase_add_test(tc, a_new_shard_is_no_ones_until_it_is_acquired);
    tcase_add_test_raise_signal(
        tc, a_send_by_a_header_that_names_a_merged_shard_dies, SIGABRT);
    tcase_add_test(tc,
                   a_send_to_a_closed_shard_of_the_parents_is_lost_and_ends);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
