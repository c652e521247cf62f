/* test_lf_signals.c - handlers that allocate, wherever they interrupt: of two
 * signals, one inside the other, tens of thousands of times in each thread.
 * (test_lf_steps.c leaves no point out.)
 *
 *   MM_SIGNAL_SECONDS=60   as many signals as 60 s of 20 000 are, per thread */
#include "tests/lf_test.h"

#include <time.h>

#define RATE 20000 /* signals per second and thread that are asked for */
#define NTHREADS 2
#define DEPTH 3 /* the thread, a handler, a handler in a handler */

struct subject {
    struct stress stress[DEPTH];
    atomic_uint signals, nested, hits;
};

static struct subject subjects[NTHREADS];
static __thread struct subject *me;
static __thread unsigned depth;

static void use_some(int number, siginfo_t *info, void *context)
{
    (void)number, (void)info, (void)context;
    int saved = errno;
    atomic_fetch_add_explicit(&me->signals, 1, memory_order_relaxed);
    if (inside())
        atomic_fetch_add_explicit(&me->hits, 1, memory_order_relaxed);
    if (++depth > 1)
        atomic_fetch_add_explicit(&me->nested, 1, memory_order_relaxed);
    for (int i = 0; i < 2; i++)
        stress_step(&me->stress[depth]);
    depth--;
    errno = saved;
}

static timer_t timer_for_thread(int number, long ns)
{
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID,
                             .sigev_signo = number};
    struct itimerspec every = {.it_interval.tv_nsec = ns,
                               .it_value.tv_nsec = ns};
    event._sigev_un._tid = thread_id();
    ck_assert_int_eq(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    ck_assert_int_eq(timer_settime(timer, 0, &every, NULL), 0);
    return timer;
}

static unsigned signals_wanted(void)
{
    return RATE * figure("MM_SIGNAL_SECONDS", SANITIZED ? 1 : 3);
}

static void *run_subject(void *arg)
{
    me = arg;
    lab->thread_init();
    timer_t one = timer_for_thread(SIGUSR1, 1000000000 / RATE);
    timer_t two = timer_for_thread(SIGUSR2, 1000000000 / RATE + 777);
    while (atomic_load(&me->signals) < signals_wanted())
        stress_step(&me->stress[0]);
    timer_delete(one);
    timer_delete(two);
    return NULL;
}

static double seconds_since(const struct timespec *t)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - t->tv_sec) +
           1e-9 * (double)(now.tv_nsec - t->tv_nsec);
}

START_TEST(handlers_allocate_at_a_high_rate_in_each_thread)
{
    pthread_t threads[NTHREADS];
    struct timespec began;
    if (THREAD_SANITIZED) /* it keeps signals back until a thread blocks */
        return;
    clock_gettime(CLOCK_MONOTONIC, &began);
    handle(SIGUSR1, use_some);
    handle(SIGUSR2, use_some);
    for (unsigned i = 0; i < NTHREADS; i++) {
        for (unsigned d = 0; d < DEPTH; d++)
            subjects[i].stress[d].random = i * DEPTH + d;
        threads[i] = thread_start(run_subject, &subjects[i]);
    }
    for (unsigned i = 0; i < NTHREADS; i++)
        thread_wait(threads[i]);
    double seconds = seconds_since(&began);
    for (unsigned i = 0; i < NTHREADS; i++) {
        struct subject *s = &subjects[i];
        printf("%u signals, %.0f a second, %u inside, %u in a handler\n",
               s->signals, s->signals / seconds, s->hits, s->nested);
        ck_assert_uint_ge(s->signals, signals_wanted());
        ck_assert_uint_gt(s->hits, 0);
        ck_assert_uint_gt(s->nested, 0);
        for (unsigned d = 0; d < DEPTH; d++)
            stress_empty(&s->stress[d]);
    }
    stress_empty_inboxes();
    ck_assert_uint_eq(lab->check(), 0);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        handlers_allocate_at_a_high_rate_in_each_thread, NULL};
    return run_tests("lf-signals", here_begin, tests);
}
