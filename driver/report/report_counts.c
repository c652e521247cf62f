/* report_counts.c - the tables of --count. */
#include "driver/report/report.h"
#include "driver/report/report_cell.h"

struct line {
    unsigned threads;
    size_t ops;
    struct mm_counts sum;
};

/* All copies of a trace in a round. */
static struct line add_copies(const struct round *round,
                              const struct round_result *x, unsigned trace)
{
    struct line line = {0};
    for (unsigned p = 0; p < round->nparts; p++) {
        const struct part_result *part = &x->parts[p];
        if (round->parts[p].trace != trace)
            continue;
        line.threads += round->parts[p].lanes;
        line.ops += part->ops * x->counted;
        line.sum.rmw += part->counts.rmw;
        line.sum.shared += part->counts.shared;
    }
    return line;
}

static void print_line(const char *name, const struct line *l)
{
    char text[CELL];
    printf("  %-26s %7u %10zu %12zu %10.6f %12.6f\n",
           cell_trace(text, name, 26), l->threads, l->ops, l->sum.rmw,
           (double)l->sum.rmw / (double)l->ops,
           (double)l->sum.shared / (double)l->ops);
}

static bool had(const struct round *round, unsigned part)
{
    for (unsigned p = 0; p < part; p++)
        if (round->parts[p].trace == round->parts[part].trace)
            return true;
    return false;
}

static void print_round(const struct results *r, const struct round *round,
                        const struct round_result *x)
{
    for (unsigned p = 0; x->counted && p < round->nparts; p++) {
        unsigned trace = round->parts[p].trace;
        struct line line = add_copies(round, x, trace);
        if (!had(round, p))
            print_line(r->traces[trace]->name, &line);
    }
}

static void print_section(const struct results *r, const struct section *s,
                          unsigned a)
{
    printf("\n%s counted: %u thread%s\n", r->allocators[a]->name, s->threads,
           s->threads == 1 ? "" : "s");
    printf("  %-26s %7s %10s %12s %10s %12s\n", "trace", "threads", "ops",
           "RMW", "RMW/op", "shared/op");
    for (unsigned i = 0; i < s->plan->nrounds; i++)
        print_round(r, &s->plan->rounds[i], result_round(s, a, i));
}

void report_counts(const struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++)
        for (unsigned a = 0; a < r->nallocators; a++)
            if (r->shown[a] && r->allocators[a]->counts)
                print_section(r, &r->sections[i], a);
}
