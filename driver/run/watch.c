/* watch.c - see watch.h. */
#include "driver/run/watch.h"

#include "driver/base/sanitized.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define SANITIZER_TIMES 8 /* the memory that a sanitizer takes */

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Private memory only: what we share with it counts for no one. */
static size_t resident_bytes(pid_t pid)
{
    char path[64], text[128];
    snprintf(path, sizeof path, "/proc/%d/statm", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    unsigned long pages, resident, shared;
    if (sscanf(text, "%lu %lu %lu", &pages, &resident, &shared) != 3)
        return 0;
    return (resident - shared) * (size_t)sysconf(_SC_PAGESIZE) /
           (SANITIZED ? SANITIZER_TIMES : 1);
}

/* Look where all threads are. @return whether anything moved. */
static bool moved(struct watch *w)
{
    uint64_t now = clock_ns();
    int phase = atomic_load(&w->shared->phase);
    bool any = phase != w->phase;
    w->phase = phase;
    for (unsigned i = 0; i < w->job->round->nthreads; i++) {
        struct mark *m = &w->shared->marks[i];
        uint64_t op = atomic_load_explicit(&m->op, memory_order_relaxed);
        uint32_t state = atomic_load_explicit(&m->state, memory_order_relaxed);
        if (op == w->seen[i].op && state == w->seen[i].state)
            continue;
        w->seen[i] = (struct seen){op, state, now};
        any = true;
    }
    return any;
}

void watch_begin(struct watch *w)
{
    w->began_ns = clock_ns();
    w->began_cpu = cpu_seconds(w->pid);
    w->still = 0;
    moved(w);
}

double watch_took(const struct watch *w)
{
    return cpu_seconds(w->pid) - w->began_cpu;
}

static bool slow(const struct watch *w)
{
    double limit = w->limits.seconds;
    double clock = 1e-9 * (double)(clock_ns() - w->began_ns);
    double cpu = watch_took(w) / w->job->round->nthreads;
    return limit > 0 && (cpu > limit || clock > limit * MDRIVER_LIMIT_CLOCK *
                                                    w->job->round->nthreads);
}

enum fault_kind watch_look(struct watch *w)
{
    const uint64_t patience = (uint64_t)w->limits.still * 1000 / WATCH_MS;
    w->still = moved(w) ? 0 : w->still + 1;
    w->memory = resident_bytes(w->pid);
    if (w->limits.memory && w->memory > w->limits.memory)
        return FAULT_MEMORY;
    if (w->still >= patience)
        return FAULT_HANG;
    return slow(w) ? FAULT_SLOW : FAULT_NONE;
}

unsigned watch_longest_still(const struct watch *w)
{
    unsigned worst = THREAD_NONE;
    for (unsigned i = 0; i < w->job->round->nthreads; i++) {
        const struct seen *t = &w->seen[i];
        if (t->state == MARK_BUSY &&
            (worst == THREAD_NONE || t->since_ns < w->seen[worst].since_ns))
            worst = i;
    }
    return worst;
}

unsigned watch_busy(const struct watch *w)
{
    unsigned n = 0;
    for (unsigned i = 0; i < w->job->round->nthreads; i++)
        n += w->seen[i].state == MARK_BUSY;
    return n;
}
