/* plan.c - packs traces into rounds by the rules of plan.h. */
#include "driver/trace/plan.h"

#include "driver/base/driver_mem.h"

struct packer {
    struct plan *plan;
    const unsigned *want; /* threads of each trace */
    unsigned ntraces;
};

static unsigned lanes_of(const struct packer *k, unsigned trace)
{
    unsigned n = k->plan->threads;
    return k->want[trace] < n ? k->want[trace] : n;
}

static unsigned idle(const struct packer *k, const struct round *r)
{
    return k->plan->threads - r->nthreads;
}

static struct round *open_round(struct packer *k)
{
    struct round *r = &k->plan->rounds[k->plan->nrounds++];
    r->parts = driver_mem_alloc(k->plan->threads * sizeof *r->parts);
    return r;
}

static void add_part(struct packer *k, struct round *r, unsigned trace)
{
    unsigned copy = 0;
    for (unsigned i = 0; i < r->nparts; i++)
        copy += r->parts[i].trace == trace;
    r->parts[r->nparts++] = (struct part){
        .trace = trace,
        .copy = copy,
        .first = r->nthreads,
        .lanes = lanes_of(k, trace),
    };
    r->nthreads += lanes_of(k, trace);
}

/* P3 */
static void pack_same(struct packer *k)
{
    for (unsigned t = 0; t < k->ntraces; t++) {
        struct round *r = open_round(k);
        while (lanes_of(k, t) <= idle(k, r))
            add_part(k, r, t);
    }
}

/* Every trace in order that fits, and that was not had if `had` is given.
 * @return how many. */
static unsigned add_fitting(struct packer *k, struct round *r, bool *had)
{
    unsigned added = 0;
    for (unsigned t = 0; t < k->ntraces; t++) {
        if ((had && had[t]) || lanes_of(k, t) > idle(k, r))
            continue;
        add_part(k, r, t);
        added++;
        if (had)
            had[t] = true;
    }
    return added;
}

static void pack_own(struct packer *k)
{
    bool *had = driver_mem_alloc(k->ntraces * sizeof *had);
    for (unsigned n = 0; n < k->ntraces;) /* P1 */
        n += add_fitting(k, open_round(k), had);
    driver_mem_free(had);
    if (k->plan->nrounds == 1)
        while (add_fitting(k, k->plan->rounds, NULL)) /* P2 */
            ;
}

struct plan *plan_make(const unsigned *trace_threads, unsigned ntraces,
                       unsigned threads, bool same)
{
    struct plan *p = driver_mem_alloc(sizeof *p);
    p->threads = threads;
    p->same = same;
    p->rounds = driver_mem_alloc(ntraces * sizeof *p->rounds);
    struct packer k = {p, trace_threads, ntraces};
    if (same)
        pack_same(&k);
    else
        pack_own(&k);
    return p;
}

void plan_free(struct plan *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->nrounds; i++)
        driver_mem_free(p->rounds[i].parts);
    driver_mem_free(p->rounds);
    driver_mem_free(p);
}

const struct part *plan_part_of(const struct round *r, unsigned thread)
{
    for (unsigned p = 0; p < r->nparts; p++)
        if (thread - r->parts[p].first < r->parts[p].lanes)
            return &r->parts[p];
    return NULL;
}
