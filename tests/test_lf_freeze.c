/* test_lf_freeze.c - a thread that is stopped anywhere holds nobody up.
 *
 *   controller   signals a victim ──► its handler parks, if it is inside
 *                demands that every worker gets on, and that threads come
 *                and go; then the victim goes on, or never does
 *
 * Nothing is timed: the workers must do so many operations while the victim is
 * frozen, however long that takes. The sign that they wait is a minute of
 * processor time that the controller spends on looking, and yielding, in vain.
 * ThreadSanitizer delays signals to quiet moments, so that no thread is
 * frozen inside there: under it this is a stress test.
 *
 *   MM_FREEZES=20000   so many freezes instead of the usual number */
#include "tests/lf_victim.h"
#include "tests/run_tests.h"

#include <limits.h>
#include <sched.h>
#include <time.h>

#define NWORKERS 3
#define WORK 20          /* operations of each worker during a freeze */
#define GUEST_EVERY 8    /* freezes between threads that come and go */
#define LIMIT_SECONDS 60 /* of the controller, for one freeze */

/* ---- the others ---------------------------------------------------------- */

static atomic_uint done[NWORKERS], granted; /* operations */

/* Takes, gives, and frees what anyone made, the victim too. */
static void work_once(uint64_t r)
{
    unsigned char *p = NULL;
    if (r & 1) {
        size_t size = any_size(r >> 8);
        p = lab->malloc(size);
        demand(p);
        sign(p, size);
    }
    p = atomic_exchange(&shared[(r >> 40) % NSHARED], p);
    if (!p)
        return;
    ck_signed(p);
    lab->free(p);
}

/* Does what is granted, then sleeps: the processors are the victim's. */
static void *run_worker(void *number)
{
    size_t n = (uintptr_t)number;
    uint64_t random = n + 1000;
    while (!atomic_load(&over)) {
        unsigned most = atomic_load(&granted);
        if (atomic_load(&done[n]) == most) {
            syscall(SYS_futex, &granted, FUTEX_WAIT_PRIVATE, most, NULL);
            continue;
        }
        work_once(next_random(&random));
        atomic_fetch_add(&done[n], 1);
    }
    return NULL;
}

static void grant(unsigned operations)
{
    atomic_fetch_add(&granted, operations);
    syscall(SYS_futex, &granted, FUTEX_WAKE_PRIVATE, INT_MAX);
}

static void *run_guest(void *random)
{
    uint64_t state = (uintptr_t)random;
    for (int i = 0; i < 20; i++)
        work_once(next_random(&state));
    return NULL;
}

/* ---- the controller ---------------------------------------------------------
 */

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec;
}

static void pause_until(time_t limit, const char *what)
{
    if (now() > limit)
        ck_abort_msg("%s for %d s of processor time", what, LIMIT_SECONDS);
    sched_yield();
}

/* Stop it where it happens to be; it has left where it was the last time. */
static int ask(struct victim *v, uint64_t random)
{
    time_t limit = now() + LIMIT_SECONDS;
    unsigned from = atomic_load(&v->operations);
    while (atomic_load(&v->operations) - from < 1 + random % 3)
        pause_until(limit, "a victim that was released does not go on");
    for (uint64_t n = random >> 8 & 0xfff; n > 0; n--)
        atomic_signal_fence(memory_order_seq_cst);
    atomic_store(&v->state, ASKED);
    signal_thread(v->id, SIGUSR1);
    while (atomic_load(&v->state) == ASKED)
        pause_until(limit, "no answer to a signal");
    return atomic_load(&v->state);
}

/* Each worker does WORK operations, now. */
static void ck_others_get_on(unsigned round)
{
    time_t limit = now() + LIMIT_SECONDS;
    grant(WORK);
    for (int i = 0; i < NWORKERS; i++)
        while (atomic_load(&done[i]) != atomic_load(&granted))
            pause_until(limit, "others wait for a frozen thread");
    if (round % GUEST_EVERY == 0)
        in_thread(run_guest, (void *)(uintptr_t)round);
}

static void victim_start(struct victim *v, unsigned seed)
{
    v->random = seed;
    atomic_store(&v->state, ASKED);
    v->thread = thread_start(run_victim, v);
    while (atomic_load(&v->state) == ASKED)
        sched_yield();
}

/* Is the orphan in one of its stacks? If not, a thread has it. */
static bool is_stacked(const struct shard *orphan)
{
    for (int i = 0; i < 2; i++) {
        uint64_t head = atomic_load(&process()->orphans[i].head);
        uint32_t at = (uint32_t)(head & TAGGED_INDEX_MASK);
        for (; at; at = atomic_load(&shard_at(at - 1)->below))
            if (shard_at(at - 1) == orphan)
                return true;
    }
    return false;
}

/* What others have is sound; what a thread has that is inside, or had a shard
 * of another or an orphan in its hands, may be half changed. */
static void ck_shards(void)
{
    unsigned sound = 0;
    for (uint32_t i = 0; i < shard_count(); i++) {
        struct shard *s = shard_at(i);
        enum status status = status_of(state_get(s));
        bool free = status == MERGED || status == SPARE ||
                    (status == ORPHAN && is_stacked(s));
        if (!free && !(status == OWNED && thread_open(s)))
            continue;
        ck_assert_uint_eq(shard_check(s), 0);
        sound++;
    }
    ck_assert_uint_gt(sound, 0);
}

static unsigned rounds_wanted(void)
{
    static const unsigned usual[MODES] = {2000, 60, 200};
    return figure("MM_FREEZES", SANITIZED ? usual[mode] / 10 : usual[mode]);
}

START_TEST(others_go_on_while_a_thread_is_frozen_anywhere)
{
    pthread_t workers[NWORKERS];
    unsigned frozen = 0, within = 0, next = 0;
    mode = (enum mode)_i;
    struct victim *v = calloc(rounds_wanted() + 1, sizeof *v);
    uint64_t random = 7;
    handle(SIGUSR1, freeze);
    for (size_t i = 0; i < NWORKERS; i++)
        workers[i] = thread_start(run_worker, (void *)i);
    victim_start(&v[0], 0);
    while (frozen < rounds_wanted()) {
        grant(1);
        if (ask(&v[next], next_random(&random)) == MISSED)
            continue;
        frozen++;
        within += v[next].was_inside;
        ck_others_get_on(frozen);
        if (mode == RELEASED)
            release(&v[next]);
        else
            victim_start(&v[next + 1], next + 1), next++;
    }
    atomic_store(&over, true);
    grant(1);
    for (int i = 0; i < NWORKERS; i++)
        thread_wait(workers[i]);
    thread_wait(v[next].thread);
    printf("%u of %u freezes in the middle of an operation\n", within, frozen);
    if (!THREAD_SANITIZED)
        ck_assert_uint_ge(within, frozen / 10);
    for (int i = 0; i < NSHARED; i++)
        lab->free(shared[i]);
    if (mode == RELEASED) {
        ck_assert_uint_eq(lab->check(), 0);
        free(v); /* else those that are parked may look at it */
    } else {
        ck_shards();
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("lf-freeze");
    TCase *tc = tcase_create("lf-freeze");
    tcase_add_checked_fixture(tc, here_begin, NULL);
    tcase_add_loop_test(tc, others_go_on_while_a_thread_is_frozen_anywhere, 0,
                        MODES);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
