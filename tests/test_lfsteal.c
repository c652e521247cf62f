/* test_lfsteal.c - lockfree/ from inside: theft, what its victim does,
 * and whose a shard is in a child of fork. */
#include "tests/lf_inside.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- theft ----------------------------------------------------------- */

/* A thread that has a shard, and does what it is told. */
static struct {
    pthread_t thread;
    pthread_barrier_t turn;
    struct shard *shard;
    struct thread *its;
    void *block, *to_free;
} other;

static void *run_other(void *unused)
{
    other.block = take_block(40000);
    other.its = self();
    other.shard = self()->shard;
    pthread_barrier_wait(&other.turn);
    pthread_barrier_wait(&other.turn);
    lab->free(other.to_free);
    other.to_free = take_block(40000);
    pthread_barrier_wait(&other.turn);
    pthread_barrier_wait(&other.turn);
    return unused;
}

static void turn(void)
{
    pthread_barrier_wait(&other.turn);
}

static void other_begins(void)
{
    lab->free(take_block(8));
    pthread_barrier_init(&other.turn, NULL, 2);
    other.thread = thread_start(run_other, NULL);
    turn();
}

static void other_ends(void)
{
    turn();
    thread_wait(other.thread);
    lab->free(other.block);
    lab->free(other.to_free);
    ck_sound();
}

START_TEST(who_sleeps_can_be_stolen_and_gets_all_back)
{
    other_begins();
    ck_assert(shard_steal(other.shard));
    ck_assert_int_eq(shard_status(other.shard), STOLEN);
    ck_assert(!shard_steal(other.shard));
    shard_purge(other.shard, self()->shard);
    shard_return(other.shard);
    ck_assert_int_eq(shard_status(other.shard), OWNED);
    turn();
    turn();
    ck_assert_ptr_eq(owner_of(other.to_free), other.shard);
    other_ends();
}
END_TEST

static void *make_and_free(void *unused)
{
    enum { N = 1000 };
    void *blocks[N];
    for (size_t i = 0; i < N; i++)
        blocks[i] = take_block(100);
    for (size_t i = 0; i < N; i++)
        lab->free(blocks[i]);
    return unused;
}

static uint32_t slabs_of(const struct shard *s)
{
    uint32_t n = 0;
    for (unsigned c = 1; c <= SLAB_CLASSES; c++)
        n += s->arena.slabs.nslabs[c];
    return n;
}

/* One that is empty may stay while the shard is at work. */
START_TEST(who_is_purged_keeps_no_empty_slab)
{
    lab->free(take_block(8));
    in_thread(make_and_free, NULL);
    struct shard *o = shard_pop_orphan();
    ck_assert_ptr_nonnull(o);
    ck_assert_uint_gt(slabs_of(o), 0);
    shard_purge(o, self()->shard);
    ck_assert_uint_eq(slabs_of(o), 0);
    shard_push_orphan(o);
    ck_sound();
}
END_TEST

START_TEST(who_is_inside_is_left_alone)
{
    other_begins();
    enter(other.its);
    ck_assert(!shard_steal(other.shard));
    ck_assert_int_eq(shard_status(other.shard), OWNED);
    leave(other.its);
    turn();
    turn();
    other_ends();
}
END_TEST

START_TEST(who_meets_a_claim_takes_it_back)
{
    other_begins();
    uint64_t state = state_get(other.shard);
    ck_assert(state_change(other.shard, &state, CLAIMED));
    turn();
    turn();
    ck_assert_int_eq(shard_status(other.shard), OWNED);
    ck_assert(!state_change(other.shard, &state, STOLEN));
    other_ends();
}
END_TEST

/* Its struct stays its own: what it does after a handler in which it moved,
 * it does to no one else's. */
START_TEST(a_thread_whose_shard_is_stolen_keeps_its_struct)
{
    other_begins();
    ck_assert(shard_steal(other.shard));
    turn();
    turn();
    struct shard *now = other.its->shard;
    ck_assert_ptr_ne(now, other.shard);
    ck_assert_ptr_eq(thread_of(now), other.its);
    ck_assert_ptr_ne(thread_of(other.shard), other.its);
    ck_assert_uint_eq(thread_of(other.shard)->open, 0);
    ck_assert_int_eq(shard_status(other.shard), ABANDONED);
    shard_return(other.shard);
    ck_assert_int_eq(shard_status(other.shard), ORPHAN);

    struct shard *mine = shard_acquire(); /* as another thread's */
    ck_assert_ptr_eq(mine, other.shard);
    enter(other.its);
    leave(other.its);
    ck_assert_uint_eq(thread_of(mine)->open, 0);
    shard_push_orphan(mine);
    other_ends();
}
END_TEST

START_TEST(the_number_of_a_state_never_comes_again)
{
    struct shard *s = shard_acquire();
    uint64_t state = state_get(s), first = state;
    ck_assert(state_change(s, &state, CLAIMED));
    ck_assert(state_change(s, &state, CLAIMED)); /* another thief */
    shard_push_orphan(s);
    ck_assert_uint_gt(state_get(s) >> STATUS_BITS, state >> STATUS_BITS);
    ck_assert_uint_gt(state, first);
    ck_assert_ptr_eq(shard_acquire(), s);
    ck_assert(!state_change(s, &state, STOLEN));
    shard_push_orphan(s);
    ck_sound();
}
END_TEST

/* membarrier is refused from now on. */
static void refuse_membarrier(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)};
    struct sock_fprog program = {4, code};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

START_TEST(without_membarrier_nobody_steals)
{
    if (prctl(PR_GET_SECCOMP) < 0) /* there are no filters: qemu-user */
        return;
    other_begins();
    ck_assert(shard_steal(other.shard));
    shard_return(other.shard);
    refuse_membarrier();
    if (!mem_range.no_barrier) {
        ck_assert(!shard_steal(other.shard));
        ck_assert_int_eq(shard_status(other.shard), OWNED);
    }
    turn();
    turn();
    other_ends();
}
END_TEST

/* As long as the shard is a thief's, and there is no memory for another. */
START_TEST(what_is_freed_without_a_shard_goes_to_its_owner)
{
    enum { N = 70000, SIZE = 24 }; /* more than 16 bits count */
    static void *p[N];
    for (int i = 0; i < N; i++)
        p[i] = take_block(SIZE);
    struct shard *s = self()->shard;
    struct cache *c = &self()->cache;
    uint32_t n = atomic_load(&nshards);
    size_t bin = slab_class(SIZE);
    ck_assert(shard_steal(s));
    atomic_store(&nshards, MAX_SHARDS);      /* all ids are used up */
    unsigned had = bin_count(&c->bins[bin]); /* a whole slab, perhaps */
    for (int i = 0; i < N; i++) {
        lab->free(p[i]);
        ck_assert(c->bins[bin].room >= 0 || bin_count(&c->bins[bin]) <= had);
    }
    atomic_store(&nshards, n);
    shard_return(s);
    ck_assert_uint_lt(lab->used(), N); /* regions have headers */
    ck_sound();
}
END_TEST

/* ---- fork ------------------------------------------------------------ */

START_TEST(a_child_goes_on_with_its_threads_shard_and_steals_no_others)
{
    other_begins();
    struct shard *s = self()->shard;
    pid_t pid = fork();
    if (pid == 0) {
        if (shard_steal(other.shard)) /* its thread is not here */
            _exit(1);
        lab->free(take_block(40000));
        if (self()->shard != s || s->process != process_number())
            _exit(2);
        lab->free(other.block);
        _exit(lab->check() ? 3 : 0);
    }
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    turn();
    turn();
    other_ends();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        who_sleeps_can_be_stolen_and_gets_all_back,
        who_is_purged_keeps_no_empty_slab,
        who_is_inside_is_left_alone,
        who_meets_a_claim_takes_it_back,
        a_thread_whose_shard_is_stolen_keeps_its_struct,
        the_number_of_a_state_never_comes_again,
        without_membarrier_nobody_steals,
        what_is_freed_without_a_shard_goes_to_its_owner,
        a_child_goes_on_with_its_threads_shard_and_steals_no_others,
        NULL};
    return run_tests("lfsteal", here_begin, tests);
}
