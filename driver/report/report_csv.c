/* report_csv.c - one line for each replay of a trace, with its round's figures.
 *
 * The first line is a comment that says where the figures are from. A figure
 * that is not known is empty. docs/driver.md explains the columns. */
#include "driver/report/report.h"
#include "driver/report/summary.h"

static const char header[] =
    "threads,same,round,allocator,trace,copy,first_thread,lanes,status,ops,"
    "secs,secs_best,spread,runs,vs_libc,speedup,"
    "round_threads,round_ops,round_secs,round_secs_best,round_spread,"
    "round_vs_libc,round_speedup,payload_peak,heap_peak,utilization,"
    "slack,touched_peak,resident_peak,resident_ratio,round_samples";

static void put_text(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"')
            putc('"', f);
        putc(*text, f);
    }
    putc('"', f);
}

static void put_number(FILE *f, double value)
{
    if (value > 0)
        fprintf(f, ",%.9g", value);
    else
        putc(',', f);
}

static void put_bytes(FILE *f, size_t value)
{
    if (value)
        fprintf(f, ",%zu", value);
    else
        putc(',', f);
}

static void put_timing(FILE *f, const struct timing *t)
{
    put_number(f, t->median);
    put_number(f, t->best);
    if (t->runs)
        fprintf(f, ",%.6f", t->spread);
    else
        putc(',', f);
}

/* Seconds of each run, in order, with spaces between. */
static void put_samples(FILE *f, const struct round_result *x)
{
    putc(',', f);
    for (unsigned i = 0; i < x->time.runs; i++)
        fprintf(f, "%s%.6g", i ? " " : "", x->samples[i]);
}

static void put_latency_header(FILE *f)
{
    for (int k = 0; k < LATENCY_KINDS; k++) {
        const char *name = latency_name((enum latency_kind)k);
        fprintf(f,
                ",%s_calls,%s_p50_ns,%s_p99_ns,%s_p999_ns,%s_p9999_ns,"
                "%s_max_ns",
                name, name, name, name, name, name);
    }
}

static void put_latency(FILE *f, const struct results *r,
                        const struct latency *l)
{
    for (int k = 0; k < LATENCY_KINDS; k++) {
        struct percentiles p = latency_percentiles(&l->kind[k], r->ticker.ns);
        put_bytes(f, p.count);
        put_number(f, p.p50);
        put_number(f, p.p99);
        put_number(f, p.p999);
        put_number(f, p.p9999);
        put_number(f, p.max);
    }
}

static void put_part(FILE *f, const struct results *r, const struct section *s,
                     unsigned a, unsigned round, unsigned p)
{
    const struct round *plan = &s->plan->rounds[round];
    const struct round_result *x = result_round(s, a, round);
    const struct part *part = &plan->parts[p];
    fprintf(f, "%u,%d,%u,%s,", s->threads, s->plan->same, round + 1,
            r->allocators[a]->name);
    put_text(f, r->traces[part->trace]->name);
    fprintf(f, ",%u,%u,%u,%s,%zu", part->copy, part->first, part->lanes,
            part_status(x, p), x->parts[p].ops);
    put_timing(f, &x->parts[p].time);
    put_bytes(f, x->parts[p].time.runs);
    put_number(f, part_ratio_to_libc(r, s, a, round, p));
    put_number(f, part_speedup(r, s, a, round, p));
    fprintf(f, ",%u,%zu", plan->nthreads, x->ops);
    put_timing(f, &x->time);
    put_number(f, ratio_to_libc(r, s, a, round));
    put_number(f, round_speedup(r, s, a, round));
    put_bytes(f, x->peak_payload);
    put_bytes(f, x->peak_heap);
    put_number(f, result_util(x));
    if (x->slack >= 0)
        fprintf(f, ",%.9g", x->slack);
    else
        putc(',', f);
    put_bytes(f, x->touched_payload);
    put_bytes(f, x->peak_resident);
    put_number(f, result_resident(x));
    put_samples(f, x);
    if (x->latency)
        put_latency(f, r, x->latency);
    if (x->counted)
        fprintf(f, ",%u,%zu,%zu", x->counted, x->parts[p].counts.rmw,
                x->parts[p].counts.shared);
    putc('\n', f);
}

void report_csv(const struct results *r, const struct options *o, FILE *f)
{
    struct origin from = report_origin();
    fprintf(f, "# command: %s; date: %s; machine: %s, %ld processors, %s\n",
            o->command, from.date, from.cpu, from.processors, from.machine);
    fputs(header, f);
    if (o->latency)
        put_latency_header(f);
    if (o->count)
        fputs(",counted_runs,rmw,shared_writes", f);
    putc('\n', f);
    for (unsigned i = 0; i < r->nsections; i++) {
        const struct section *s = &r->sections[i];
        for (unsigned k = 0; k < s->plan->nrounds; k++)
            for (unsigned a = 0; a < r->nallocators; a++)
                for (unsigned p = 0; p < s->plan->rounds[k].nparts; p++)
                    put_part(f, r, s, a, k, p);
    }
}
