/* test_arena_threads.c - how threads begin and end in the arena stage: hooks
 * called twice or never, destructors that run after ours, no more structs. */
#include "tests/arena_test.h"

/* Every shard is used by a thread that lives, or waits, or was merged away. */
static void ck_users(uint32_t living)
{
    uint32_t users = 0, waiting = 0, merged = 0, spare = 0, used = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        users += shard_at(i)->users;
        used += shard_at(i)->users > 0;
        merged += owner_at(i) != shard_at(i);
    }
    for (const struct shard *s = registry.orphans; s; s = s->next)
        waiting++;
    for (const struct shard *s = registry.spares; s; s = s->next)
        spare++;
    ck_assert_uint_eq(users, living);
    ck_assert_uint_eq(waiting, norphans());
    ck_assert_uint_eq(used + waiting + merged + spare, shard_count());
}

static size_t nfree_threads(void)
{
    size_t n = 0;
    for (const struct thread *t = free_threads; t; t = t->next)
        n++;
    return n;
}

/* ---- hooks ----------------------------------------------------------- */

static void *run_exit_twice(void *unused)
{
    (void)unused;
    ck_assert_int_eq(lab->thread_init(), 0);
    ck_assert_int_eq(lab->thread_init(), 0);
    void *p = take(100);
    lab->thread_exit();
    lab->thread_exit();
    return p;
}

START_TEST(hooks_called_twice_do_what_they_do_once)
{
    take(1);
    lab->free(in_thread(run_exit_twice, NULL));
    ck_users(1);
    ck_assert_uint_eq(nfree_threads(), 1);
    ck_sound();
}
END_TEST

static void *run_after_exit(void *unused)
{
    (void)unused;
    lab->free(take(100));
    lab->thread_exit();
    ck_assert_ptr_eq(self(), &no_thread);
    void *p = take(100), *q = take(100);
    lab->free(p);
    return q;
}

START_TEST(a_thread_that_goes_on_after_its_exit_hook_is_attached_anew)
{
    take(1);
    lab->free(in_thread(run_after_exit, NULL));
    ck_users(1);
    ck_assert_uint_eq(nfree_threads(), 1);
    ck_sound();
}
END_TEST

START_TEST(a_thread_that_ends_without_the_hook_leaves_an_orphan)
{
    take(1);
    void *p = take_in_thread(100);
    ck_users(1);
    ck_assert_uint_eq(norphans(), 1);
    lab->free(p);
    ck_sound();
}
END_TEST

static void *free_it(void *p)
{
    lab->free(p);
    return NULL;
}

START_TEST(a_thread_that_only_frees_needs_no_arena)
{
    void *p = take(100), *q = take(100000);
    in_thread(free_it, p);
    in_thread(free_it, q);
    ck_assert_uint_eq(shard_count(), 1);
    ck_users(1);
    ck_sound();
}
END_TEST

/* ---- destructors of the program -------------------------------------- */

static pthread_key_t later; /* made after ours: its destructor runs later */
static int rounds;

/* Allocates and frees in every round of destructors that there is. */
static void destroy(void *p)
{
    rounds++;
    lab->free(p);
    if (THREAD_SANITIZED && rounds == 3)
        return; /* in the last round its own state is gone */
    pthread_setspecific(later, take(200));
}

static void *run_with_destructor(void *unused)
{
    (void)unused;
    rounds = 0;
    lab->free(take(100));
    pthread_setspecific(later, take(200));
    return NULL;
}

START_TEST(destructors_that_allocate_after_ours_lose_no_arena)
{
    take(1);
    ck_assert_int_eq(pthread_key_create(&later, destroy), 0);
    for (int i = 0; i < 100; i++) {
        in_thread(run_with_destructor, NULL);
        ck_assert_int_ge(rounds, 2); /* also after ours */
        ck_users(1);
        ck_assert_uint_eq(nfree_threads(), 1);
    }
    ck_assert_uint_eq(shard_count(), 2);
    ck_sound();
}
END_TEST

/* ---- no more structs ------------------------------------------------- */

static void use_up_records(void)
{
    size_t size = (size_t)1 << 30;
    while (size >= 64)
        if (!mem_record(size))
            size /= 2;
}

static void *run_try(void *unused)
{
    (void)unused;
    errno = 0;
    void *p = lab->malloc(100);
    ck_assert(p || errno == ENOMEM);
    return p;
}

START_TEST(a_thread_that_gets_no_struct_keeps_no_arena)
{
    take(1);
    take_in_thread(100); /* an orphan, and a free struct */
    struct thread *all = free_threads;
    free_threads = NULL;
    use_up_records();
    for (int i = 0; i < 3; i++) {
        void *p = in_thread(run_try, NULL); /* from the orphan, borrowed */
        ck_assert_ptr_nonnull(p);
        lab->free(p);
        ck_users(1);
        ck_assert_uint_eq(norphans(), 1);
    }
    free_threads = all;
    void *p = in_thread(run_try, NULL);
    ck_assert_ptr_nonnull(p);
    lab->free(p);
    ck_users(1);
    ck_sound();
}
END_TEST

static void *run_beside(void *unused)
{
    (void)unused;
    take(1); /* takes the orphan */
    struct thread *t = free_threads;
    ck_assert_ptr_nonnull(t); /* another may be attached, but has no arena */
    return in_thread(run_try, NULL);
}

START_TEST(threads_share_when_there_are_no_records_for_arenas)
{
    take(1);
    take_in_thread(100);
    struct thread *spare = mem_record(sizeof *spare);
    spare->next = free_threads;
    free_threads = spare;
    use_up_records();
    void *p = in_thread(run_beside, NULL);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_eq(shard_count(), 2);
    lab->free(p);
    ck_users(1);
    ck_sound();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        hooks_called_twice_do_what_they_do_once,
        a_thread_that_goes_on_after_its_exit_hook_is_attached_anew,
        a_thread_that_ends_without_the_hook_leaves_an_orphan,
        a_thread_that_only_frees_needs_no_arena,
        destructors_that_allocate_after_ours_lose_no_arena,
        a_thread_that_gets_no_struct_keeps_no_arena,
        threads_share_when_there_are_no_records_for_arenas,
        NULL};
    return run_here("arena-threads", tests);
}
