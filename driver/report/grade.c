/* grade.c - from results to points; see grade.h. */
#include "driver/report/grade.h"

#include "config.h"
#include "driver/report/summary.h"

/* Linear from 0 at none to most at full. */
static double linear(double x, double none, double full, double most)
{
    double share = (x - none) / (full - none);
    return most * (share < 0 ? 0 : share > 1 ? 1 : share);
}

double grade_util_points(double util)
{
    return linear(util, GRADE_UTIL_NONE, GRADE_UTIL_FULL, GRADE_UTIL_POINTS);
}

double grade_perf_points(double vs_libc)
{
    return linear(vs_libc, 0, GRADE_PERF_FULL, GRADE_PERF_POINTS);
}

static bool holds(const struct round *round, unsigned trace)
{
    for (unsigned p = 0; p < round->nparts; p++)
        if (round->parts[p].trace == trace)
            return true;
    return false;
}

int grade_trace_fault(const struct section *s, unsigned allocator,
                      unsigned trace)
{
    for (unsigned i = 0; i < s->plan->nrounds; i++) {
        const struct round_result *x = result_round(s, allocator, i);
        if (holds(&s->plan->rounds[i], trace) && !result_valid(x))
            return x->fault;
    }
    return FAULT_NONE;
}

bool grade_counts(const struct section *s, unsigned allocator)
{
    return result_round(s, allocator, 0)->ran &&
           result_round(s, allocator, 0)->checked;
}

struct grade grade_allocator(const struct results *r, unsigned allocator)
{
    struct grade g = {0};
    unsigned sections = 0, asked = 0;
    double weight = 0, valid = 0;
    for (unsigned i = 0; i < r->nsections; i++) {
        const struct section *s = &r->sections[i];
        bool counts = grade_counts(s, allocator);
        asked += counts || !GRADE_SINGLE_THREADED_WHOLE;
        if (!counts)
            continue;
        struct summary sum = summarize_section(r, s, allocator);
        sections++;
        g.util += sum.util;
        g.vs_libc += sum.vs_libc_most;
        g.utilization += grade_util_points(sum.util);
        g.throughput += grade_perf_points(sum.vs_libc_most);
        g.traces += r->ntraces;
        for (unsigned t = 0; t < r->ntraces; t++) {
            bool good = grade_trace_fault(s, allocator, t) == FAULT_NONE;
            g.valid += good;
            weight += trace_weight(r, t);
            valid += good ? trace_weight(r, t) : 0;
        }
    }
    if (!sections)
        return g;
    g.graded = true;
    g.util /= sections;
    g.vs_libc /= sections;
    g.correctness = GRADE_CORRECT_POINTS * valid / weight * sections / asked;
    g.utilization = g.valid == g.traces ? g.utilization / asked : 0;
    g.throughput = g.valid == g.traces ? g.throughput / asked : 0;
    return g;
}
