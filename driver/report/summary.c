/* summary.c - see summary.h. */
#include "driver/report/summary.h"

#include "config.h"
#include "driver/base/registry.h"

#include <math.h>
#include <string.h>

static bool timed(const struct round_result *r)
{
    return r->ran && r->fault == FAULT_NONE && r->time.median > 0;
}

/* Weights: 0 not scored, 1 both, 2 utilization only, 3 throughput only. */
static bool counts(const struct results *r, const struct round *round,
                   int other_weight)
{
    for (unsigned p = 0; p < round->nparts; p++) {
        int weight = r->traces[round->parts[p].trace]->weight;
        if (weight == 1 || weight == other_weight)
            return true;
    }
    return false;
}

static bool counts_util(const struct results *r, const struct round *round)
{
    return counts(r, round, 2);
}

static bool counts_speed(const struct results *r, const struct round *round)
{
    return counts(r, round, 3);
}

/* ---- against libc -------------------------------------------------------- */

static bool long_enough(const struct timing *t)
{
    return t->median * 1e9 >= MDRIVER_LEAST_NS;
}

static double over(double a, double b)
{
    return b > 0 ? a / b : 0;
}

double ratio_to_libc(const struct results *r, const struct section *s,
                     unsigned allocator, unsigned round)
{
    const struct round_result *mine = result_round(s, allocator, round);
    const struct round_result *libc = result_round(s, r->libc, round);
    if (!timed(mine) || !timed(libc))
        return 0;
    return long_enough(&mine->time) && long_enough(&libc->time)
               ? libc->time.median / mine->time.median
               : 0;
}

double part_ratio_to_libc(const struct results *r, const struct section *s,
                          unsigned allocator, unsigned round, unsigned part)
{
    const struct round_result *mine = result_round(s, allocator, round);
    const struct round_result *libc = result_round(s, r->libc, round);
    if (!timed(mine) || !timed(libc))
        return 0;
    const struct timing *libcs = &libc->parts[part].time;
    const struct timing *time = &mine->parts[part].time;
    return long_enough(time) && long_enough(libcs)
               ? libcs->median / time->median
               : 0;
}

/* ---- against one thread -------------------------------------------------- */

static const struct section *one_thread(const struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++)
        if (r->sections[i].threads == 1)
            return &r->sections[i];
    return NULL;
}

/* Seconds that one thread needs for a trace; 0: not known. */
static double alone(const struct results *r, unsigned allocator, unsigned trace)
{
    const struct section *s = one_thread(r);
    for (unsigned i = 0; s && i < s->plan->nrounds; i++)
        if (s->plan->rounds[i].parts[0].trace == trace)
            return result_round(s, allocator, i)->time.median;
    return 0;
}

/* Seconds that one thread needs for a round's replays; 0: not known. */
static double round_alone(const struct results *r, const struct section *s,
                          unsigned allocator, unsigned round)
{
    const struct round *parts = &s->plan->rounds[round];
    double sum = 0;
    for (unsigned p = 0; p < parts->nparts; p++) {
        double t = alone(r, allocator, parts->parts[p].trace);
        if (t == 0)
            return 0;
        sum += t;
    }
    return sum;
}

double round_speedup(const struct results *r, const struct section *s,
                     unsigned allocator, unsigned round)
{
    const struct timing *time = &result_round(s, allocator, round)->time;
    return long_enough(time)
               ? over(round_alone(r, s, allocator, round), time->median)
               : 0;
}

double part_speedup(const struct results *r, const struct section *s,
                    unsigned allocator, unsigned round, unsigned part)
{
    unsigned trace = s->plan->rounds[round].parts[part].trace;
    const struct timing *time =
        &result_round(s, allocator, round)->parts[part].time;
    return long_enough(time) ? over(alone(r, allocator, trace), time->median)
                             : 0;
}

/* ---- in all -------------------------------------------------------------- */

double trace_weight(const struct results *r, unsigned trace)
{
    return r->weights ? r->weights[trace] : 1;
}

/* Those that are replayed together have one figure: it weighs as their mean. */
static double round_weight(const struct results *r, const struct round *round)
{
    double sum = 0;
    for (unsigned p = 0; p < round->nparts; p++)
        sum += trace_weight(r, round->parts[p].trace);
    return sum / round->nparts;
}

/* Weighted sums from which the means are made; n: the sums of weights. */
struct sums {
    double nutil, nresident, nspeed, nratio;
    double util, resident, speed, inverse, log_ratio, log_most, alone, time;
};

static void add_memory(struct sums *t, const struct round_result *x, double w)
{
    t->nutil += x->peak_heap ? w : 0;
    t->util += w * result_util(x);
    t->nresident += result_resident(x) > 0 ? w : 0;
    t->resident += w * result_resident(x);
}

static void add_time(struct sums *t, const struct round_result *x, double w,
                     double ratio, double alone_seconds)
{
    double speed = result_speed(x->ops, &x->time);
    if (speed > 0) { /* it was long enough */
        t->nspeed += w;
        t->speed += w * speed;
        t->inverse += w / speed;
    }
    if (ratio > 0) {
        t->nratio += w;
        t->log_ratio += w * log(ratio);
        t->log_most += w * log(fmin(ratio, GRADE_PERF_MOST));
    }
    if (alone_seconds > 0 && speed > 0) {
        t->alone += alone_seconds;
        t->time += x->time.median;
    }
}

static void finish(struct summary *out, const struct sums *t)
{
    out->util = over(t->util, t->nutil);
    out->resident = over(t->resident, t->nresident);
    out->arithmetic = over(t->speed, t->nspeed);
    out->harmonic = over(t->nspeed, t->inverse);
    out->vs_libc = t->nratio > 0 ? exp(t->log_ratio / t->nratio) : 0;
    out->vs_libc_most = t->nratio > 0 ? exp(t->log_most / t->nratio) : 0;
    out->speedup = over(t->alone, t->time);
}

struct summary summarize_section(const struct results *r,
                                 const struct section *s, unsigned allocator)
{
    struct summary out = {0};
    struct sums sums = {0};
    for (unsigned i = 0; i < s->plan->nrounds; i++) {
        const struct round *round = &s->plan->rounds[i];
        const struct round_result *x = result_round(s, allocator, i);
        out.ran |= x->ran;
        out.checked |= x->checked;
        out.replays += x->ran ? round->nparts : 0;
        out.valid += result_valid(x) ? round->nparts : 0;
        if (!timed(x))
            continue;
        double w = round_weight(r, round);
        if (counts_util(r, round))
            add_memory(&sums, x, w);
        if (counts_speed(r, round))
            add_time(&sums, x, w, ratio_to_libc(r, s, allocator, i),
                     round_alone(r, s, allocator, i));
    }
    finish(&out, &sums);
    return out;
}

const char *round_status(const struct round_result *x)
{
    if (!x->ran)
        return "skipped";
    if (x->fault || x->checked)
        return fault_name(x->fault);
    return "unchecked";
}

const char *part_status(const struct round_result *x, unsigned part)
{
    bool elsewhere =
        x->fault && x->fault_part >= 0 && x->fault_part != (int)part;
    return elsewhere ? "unknown" : round_status(x);
}

void sum_latency(const struct section *s, unsigned allocator,
                 struct latency *out)
{
    memset(out, 0, sizeof *out);
    for (unsigned i = 0; i < s->plan->nrounds; i++)
        if (result_round(s, allocator, i)->latency)
            latency_merge(out, result_round(s, allocator, i)->latency);
}

double loop_cost(const struct results *r, const struct section *s)
{
    double seconds = 0, ops = 0;
    for (unsigned a = 0; a < r->nallocators; a++)
        for (unsigned i = 0; i < s->plan->nrounds; i++)
            if (registry_is_null(r->allocators[a])) {
                seconds += result_round(s, a, i)->time.best;
                ops += (double)result_round(s, a, i)->ops;
            }
    return over(seconds, ops) * 1e9;
}

bool any_fault(const struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++) {
        const struct section *s = &r->sections[i];
        for (unsigned k = 0; k < r->nallocators * s->plan->nrounds; k++)
            if (s->rounds[k].fault)
                return true;
    }
    return false;
}
