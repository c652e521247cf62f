/* bench.c - the whole of a run. See bench.h. */
#include "driver/run/bench.h"

#include "driver/base/driver_mem.h"
#include "driver/base/progress.h"
#include "driver/base/registry.h"
#include "driver/run/bench_round.h"

static void run_section(const struct options *o, struct results *r,
                        struct section *s, unsigned threads)
{
    unsigned *want = driver_mem_alloc(r->ntraces * sizeof *want);
    for (unsigned t = 0; t < r->ntraces; t++)
        want[t] = r->traces[t]->nthreads;
    s->threads = threads;
    s->plan = plan_make(want, r->ntraces, threads, o->same);
    s->rounds = driver_mem_alloc((size_t)r->nallocators * s->plan->nrounds *
                                 sizeof *s->rounds);
    driver_mem_free(want);
    for (unsigned i = 0; i < s->plan->nrounds; i++)
        bench_round(o, r, s, i);
}

static void add(struct results *r, const struct mm_allocator *a, bool shown)
{
    r->shown[r->nallocators] = shown;
    r->allocators[r->nallocators++] = a;
}

static unsigned find(const struct results *r, const struct mm_allocator *a)
{
    unsigned i = 0;
    while (i < r->nallocators && r->allocators[i] != a)
        i++;
    return i;
}

static bool any_stranger(const struct options *o)
{
    for (unsigned i = 0; i < o->nallocators; i++)
        if (registry_is_stranger(o->allocators[i]))
            return true;
    return false;
}

/* Those of -a; the C library to compare with; for -V, and to see that none that
 * was handed in is faster than possible, the no-op one. */
static void choose_allocators(struct results *r, const struct options *o)
{
    unsigned most = o->nallocators + 2;
    r->allocators = driver_mem_alloc(most * sizeof *r->allocators);
    r->shown = driver_mem_alloc(most * sizeof *r->shown);
    r->open = driver_mem_alloc(most * sizeof *r->open);
    r->faults = driver_mem_alloc(most * sizeof *r->faults);
    for (unsigned i = 0; i < o->nallocators; i++)
        add(r, o->allocators[i], true);
    r->libc = find(r, &mm_libc);
    if (r->libc == r->nallocators)
        add(r, &mm_libc, o->show_libc);
    if ((o->verbose > 1 || any_stranger(o)) &&
        find(r, &mm_null) == r->nallocators)
        add(r, &mm_null, false);
}

struct results *bench_run(const struct options *o, struct trace **traces,
                          unsigned ntraces)
{
    struct results *r = driver_mem_alloc(sizeof *r);
    r->traces = traces;
    r->ntraces = ntraces;
    choose_allocators(r, o);
    if (o->latency)
        r->ticker = ticker_calibrate();
    r->nsections = o->nthreads;
    r->sections = driver_mem_alloc(r->nsections * sizeof *r->sections);
    for (unsigned i = 0; i < r->nsections; i++)
        run_section(o, r, &r->sections[i], o->threads[i]);
    progress_clear();
    return r;
}

static void free_section(const struct results *r, struct section *s)
{
    for (unsigned i = 0; i < r->nallocators * s->plan->nrounds; i++) {
        driver_mem_free(s->rounds[i].parts);
        driver_mem_free(s->rounds[i].samples);
        driver_mem_free(s->rounds[i].latency);
    }
    driver_mem_free(s->rounds);
    plan_free(s->plan);
}

void bench_free(struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++)
        free_section(r, &r->sections[i]);
    driver_mem_free(r->sections);
    driver_mem_free(r->allocators);
    driver_mem_free(r->shown);
    driver_mem_free(r->faults);
    driver_mem_free(r->open);
    driver_mem_free(r);
}
