/* team.c - see team.h. */
#include "driver/base/team.h"

#include "driver/base/driver_mem.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CREW_EXIT 3               /* as CHILD_EXIT_LACK */
#define STACK_TOUCHED (64 * 1024) /* bytes whose page faults come first */

struct member {
    struct team *team;
    unsigned number;
    pthread_t thread;
};

struct team {
    unsigned n;
    bool pin, over;
    pthread_barrier_t begin, done; /* n members and the caller */
    void (*work)(void *, unsigned);
    void *arg;
    struct member *members;
};

/* The processors that we may use. @return how many; 0: nobody knows */
static unsigned processors(cpu_set_t *all)
{
    return sched_getaffinity(0, sizeof *all, all) ? 0
                                                  : (unsigned)CPU_COUNT(all);
}

static void pin_to(unsigned number)
{
    cpu_set_t all, one;
    unsigned n = processors(&all);
    if (n == 0)
        return;
    unsigned skip = number % n;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &all) && skip-- == 0) {
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            sched_setaffinity(0, sizeof one, &one);
            return;
        }
}

/* No page fault of the driver's own in the timed part. */
static void __attribute__((noinline)) touch_stack(void)
{
    volatile char stack[STACK_TOUCHED];
    for (size_t i = 0; i < sizeof stack; i += 1024)
        stack[i] = 0;
}

static void settle(const struct team *c, unsigned number)
{
    if (c->pin)
        pin_to(number);
    touch_stack();
}

static void *member_main(void *arg)
{
    struct member *m = arg;
    struct team *c = m->team;
    bool over;
    settle(c, m->number);
    do {
        pthread_barrier_wait(&c->begin);
        c->work(c->arg, m->number);
        over = c->over; /* before the caller may write it again */
        pthread_barrier_wait(&c->done);
    } while (!over);
    return NULL;
}

static void start_threads(struct team *c)
{
    pthread_barrier_init(&c->begin, NULL, c->n + 1);
    pthread_barrier_init(&c->done, NULL, c->n + 1);
    c->members = driver_mem_alloc(c->n * sizeof *c->members);
    for (unsigned i = 0; i < c->n; i++) {
        struct member *m = &c->members[i];
        m->team = c;
        m->number = i;
        int error = pthread_create(&m->thread, NULL, member_main, m);
        if (error) {
            char line[160];
            int len = snprintf(line, sizeof line,
                               "mdriver: cannot start thread %u of %u: %s; "
                               "use fewer (-n)\n",
                               i + 1, c->n, strerror(error));
            ssize_t put = write(STDERR_FILENO, line, (size_t)len);
            (void)put;
            _exit(CREW_EXIT);
        }
    }
}

bool team_fits(unsigned n)
{
    cpu_set_t all;
    return n <= processors(&all);
}

struct team *team_start(unsigned n, bool pin, void (*hello)(void *, unsigned),
                        void *arg)
{
    struct team *c = driver_mem_alloc(sizeof *c);
    c->n = n;
    c->pin = pin || (n > 1 && team_fits(n));
    if (n > 1)
        start_threads(c);
    else
        settle(c, 0);
    team_run(c, hello, arg);
    return c;
}

void team_run(struct team *c, void (*work)(void *arg, unsigned member),
              void *arg)
{
    if (c->n == 1) {
        work(arg, 0);
        return;
    }
    c->work = work;
    c->arg = arg;
    pthread_barrier_wait(&c->begin);
    pthread_barrier_wait(&c->done);
}

void team_end(struct team *c, void (*bye)(void *, unsigned), void *arg)
{
    c->over = true;
    team_run(c, bye, arg);
    for (unsigned i = 0; c->n > 1 && i < c->n; i++)
        pthread_join(c->members[i].thread, NULL);
    if (c->n > 1) {
        pthread_barrier_destroy(&c->begin);
        pthread_barrier_destroy(&c->done);
    }
    driver_mem_free(c->members);
    driver_mem_free(c);
}
