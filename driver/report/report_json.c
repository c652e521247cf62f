/* report_json.c - all results as one JSON object; unknown figures are null.
 *
 *   { command, date, machine, cpu, processors, traces: [..],
 *     sections: [ { threads, same, allocators: [
 *       { name, library, summary: {..}, latency: {..}, rounds: [
 *         { .., parts: [ {..} ] } ] } ] } ] } */
#include "driver/report/report.h"
#include "driver/report/summary.h"
#include "driver/run/peer.h"
#include "driver/run/submission.h"

#include <jansson.h>
#include <string.h>

/* JSON is UTF-8; names of files need not be. */
static json_t *text(const char *value)
{
    json_t *out = json_string(value);
    char plain[strlen(value) + 1];
    if (out)
        return out;
    for (size_t i = 0; i < sizeof plain; i++)
        plain[i] = value[i] & 0x80 ? '?' : value[i];
    return json_string(plain);
}

static json_t *number(double value)
{
    return value > 0 ? json_real(value) : json_null();
}

static json_t *bytes(size_t value)
{
    return value ? json_integer((json_int_t)value) : json_null();
}

static json_t *timing(const struct timing *t)
{
    if (t->runs == 0)
        return json_null();
    return json_pack("{s:f, s:f, s:f, s:i}", "median", t->median, "best",
                     t->best, "spread", t->spread, "runs", (int)t->runs);
}

static json_t *samples(const struct round_result *x)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < x->time.runs; i++)
        json_array_append_new(out, json_real(x->samples[i]));
    return out;
}

static json_t *latency(const struct results *r, const struct latency *l)
{
    json_t *out = json_object();
    for (int k = 0; l && k < LATENCY_KINDS; k++) {
        struct percentiles p = latency_percentiles(&l->kind[k], r->ticker.ns);
        json_t *one = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f}", "calls",
                                (json_int_t)p.count, "p50_ns", p.p50, "p99_ns",
                                p.p99, "p99.9_ns", p.p999, "p99.99_ns", p.p9999,
                                "max_ns", p.max);
        if (p.count)
            json_object_set(out, latency_name((enum latency_kind)k), one);
        json_decref(one);
    }
    return out;
}

static json_t *counts(const struct mm_counts *c, unsigned runs)
{
    return json_pack("{s:i, s:I, s:I}", "runs", (int)runs, "rmw",
                     (json_int_t)c->rmw, "shared_writes",
                     (json_int_t)c->shared);
}

static json_t *part(const struct results *r, const struct section *s,
                    unsigned a, unsigned round, unsigned p)
{
    const struct part *plan = &s->plan->rounds[round].parts[p];
    const struct round_result *x = result_round(s, a, round);
    return json_pack(
        "{s:o, s:i, s:i, s:i, s:s, s:I, s:o, s:o, s:o, s:o}", "trace",
        text(r->traces[plan->trace]->name), "copy", (int)plan->copy,
        "first_thread", (int)plan->first, "lanes", (int)plan->lanes, "status",
        part_status(x, p), "ops", (json_int_t)x->parts[p].ops, "secs",
        timing(&x->parts[p].time), "vs_libc",
        number(part_ratio_to_libc(r, s, a, round, p)), "speedup",
        number(part_speedup(r, s, a, round, p)), "counts",
        x->counted ? counts(&x->parts[p].counts, x->counted) : json_null());
}

static json_t *parts(const struct results *r, const struct section *s,
                     unsigned a, unsigned round)
{
    json_t *out = json_array();
    for (unsigned p = 0; p < s->plan->rounds[round].nparts; p++)
        json_array_append_new(out, part(r, s, a, round, p));
    return out;
}

static json_t *one_round(const struct results *r, const struct section *s,
                         unsigned a, unsigned round)
{
    const struct round_result *x = result_round(s, a, round);
    json_t *out = json_pack(
        "{s:i, s:s, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, "
        "s:o, s:o}",
        "threads", (int)s->plan->rounds[round].nthreads, "status",
        round_status(x), "fault", x->fault ? text(x->fault_text) : json_null(),
        "ops", (json_int_t)x->ops, "secs", timing(&x->time), "samples",
        samples(x), "vs_libc", number(ratio_to_libc(r, s, a, round)), "speedup",
        number(round_speedup(r, s, a, round)), "payload_peak",
        bytes(x->peak_payload), "heap_peak", bytes(x->peak_heap), "utilization",
        number(result_util(x)), "slack",
        x->slack < 0 ? json_null() : json_real(x->slack), "touched_peak",
        bytes(x->touched_payload), "resident_peak", bytes(x->peak_resident),
        "resident_ratio", number(result_resident(x)), "parts",
        parts(r, s, a, round));
    if (x->latency)
        json_object_set_new(out, "latency", latency(r, x->latency));
    return out;
}

static json_t *summary(const struct summary *sum)
{
    return json_pack("{s:i, s:i, s:o, s:o, s:o, s:o, s:o, s:o}", "replays",
                     (int)sum->replays, "valid", (int)sum->valid,
                     "utilization_mean", number(sum->util), "resident_mean",
                     number(sum->resident), "ops_per_sec_harmonic_mean",
                     number(sum->harmonic), "ops_per_sec_arithmetic_mean",
                     number(sum->arithmetic), "vs_libc_geometric_mean",
                     number(sum->vs_libc), "speedup_total",
                     number(sum->speedup));
}

static json_t *allocator(const struct results *r, const struct section *s,
                         unsigned a, bool with_latency)
{
    static struct latency sum_of_rounds;
    struct summary sum = summarize_section(r, s, a);
    json_t *rounds = json_array();
    for (unsigned i = 0; i < s->plan->nrounds; i++)
        json_array_append_new(rounds, one_round(r, s, a, i));
    const char *library = peer_library(r->allocators[a]);
    if (!library)
        library = submission_path(r->allocators[a]);
    json_t *out =
        json_pack("{s:s, s:o, s:o, s:o}", "name", r->allocators[a]->name,
                  "library", library ? text(library) : json_null(), "summary",
                  summary(&sum), "rounds", rounds);
    if (with_latency) {
        sum_latency(s, a, &sum_of_rounds);
        json_object_set_new(out, "latency", latency(r, &sum_of_rounds));
    }
    return out;
}

static json_t *section(const struct results *r, const struct section *s,
                       bool with_latency)
{
    json_t *allocators = json_array();
    for (unsigned a = 0; a < r->nallocators; a++)
        json_array_append_new(allocators, allocator(r, s, a, with_latency));
    return json_pack("{s:i, s:b, s:o}", "threads", (int)s->threads, "same",
                     s->plan->same, "allocators", allocators);
}

static json_t *traces(const struct results *r)
{
    json_t *out = json_array();
    for (unsigned i = 0; i < r->ntraces; i++) {
        const struct trace *t = r->traces[i];
        json_array_append_new(
            out, json_pack("{s:o, s:o, s:I, s:i, s:i, s:I, s:I}", "name",
                           text(t->name), "path", text(t->path), "ops",
                           (json_int_t)t->nops, "threads", (int)t->nthreads,
                           "weight", t->weight, "peak_payload",
                           (json_int_t)t->peak_payload, "cross_frees",
                           (json_int_t)t->cross_frees));
    }
    return out;
}

void report_json(const struct results *r, const struct options *o, FILE *f)
{
    struct origin from = report_origin();
    json_t *sections = json_array();
    for (unsigned i = 0; i < r->nsections; i++)
        json_array_append_new(sections,
                              section(r, &r->sections[i], o->latency));
    json_t *out =
        json_pack("{s:o, s:s, s:s, s:s, s:i, s:o, s:o}", "command",
                  text(o->command), "date", from.date, "machine", from.machine,
                  "cpu", from.cpu, "processors", (int)from.processors, "traces",
                  traces(r), "sections", sections);
    if (o->latency)
        json_object_set_new(out, "clock_overhead_ns",
                            json_real(r->ticker.overhead));
    json_dumpf(out, f, JSON_INDENT(1));
    putc('\n', f);
    json_decref(out);
}
