/* report_table.c - the tables on the terminal.
 *
 * One thread, or --same: a line for each trace, as malloc labs have it.
 * Several threads with traces of their own: a line for each, with its own
 * operations and time, and below them one for the round, which alone has a
 * utilization: the heap is shared. */
#include "driver/base/registry.h"
#include "driver/report/report.h"
#include "driver/report/report_cell.h"
#include "driver/report/summary.h"

#include <string.h>

/* What a table needs to know for each of its lines. */
struct table {
    const struct results *r;
    const struct section *s;
    unsigned allocator;
    bool speedup; /* a section with one thread is there to compare with */
};

static const char *valid_word(const struct round_result *x, int part)
{
    if (!x->ran || !x->checked || x->fault == FAULT_GIVEN_UP)
        return "-";
    if (x->fault == FAULT_NONE)
        return "yes";
    return part < 0 || x->fault_part < 0 || x->fault_part == part ? "NO" : "?";
}

/* ---- one trace at a time ------------------------------------------------- */

static bool one_trace(const struct round *round)
{
    for (unsigned p = 1; p < round->nparts; p++)
        if (round->parts[p].trace != round->parts[0].trace)
            return false;
    return true;
}

static bool one_trace_each(const struct plan *p)
{
    for (unsigned i = 0; i < p->nrounds; i++)
        if (!one_trace(&p->rounds[i]))
            return false;
    return true;
}

static void print_speed(const struct table *t, size_t ops,
                        const struct timing *time, double ratio, double speedup)
{
    char elapsed[CELL], mops[CELL], spread[CELL], libc[CELL];
    printf(" %9zu %9s %8s %6s %7s", ops, cell_time(elapsed, time->median),
           cell_mops(mops, result_speed(ops, time)),
           cell_percent(spread, time->spread, time->runs > 1),
           cell_ratio(libc, ratio));
    if (t->speedup)
        printf(" %7s", cell_ratio(libc, speedup));
    putchar('\n');
}

static void print_memory(const struct round_result *x)
{
    char util[CELL], resident[CELL];
    printf(" %6s %6s", cell_percent(util, result_util(x), x->peak_heap),
           cell_ratio(resident, result_resident(x)));
}

static void print_trace_line(const struct table *t, unsigned round)
{
    const struct round *parts = &t->s->plan->rounds[round];
    const struct round_result *x = result_round(t->s, t->allocator, round);
    char name[CELL];
    printf("%-28s %5s",
           cell_trace(name, t->r->traces[parts->parts[0].trace]->name, 28),
           valid_word(x, -1));
    print_memory(x);
    print_speed(t, x->ops, &x->time,
                ratio_to_libc(t->r, t->s, t->allocator, round),
                round_speedup(t->r, t->s, t->allocator, round));
}

static void print_trace_table(const struct table *t)
{
    printf("%-28s %5s %6s %6s %9s %9s %8s %6s %7s%s\n", "trace", "valid",
           "util", "resid", "ops", "time", "Mops/s", "spread", "vs libc",
           t->speedup ? " speedup" : "");
    for (unsigned i = 0; i < t->s->plan->nrounds; i++)
        print_trace_line(t, i);
}

/* ---- a trace for each thread --------------------------------------------- */

static void print_part_line(const struct table *t, unsigned round, unsigned p)
{
    const struct part *part = &t->s->plan->rounds[round].parts[p];
    const struct round_result *x = result_round(t->s, t->allocator, round);
    char threads[CELL], name[CELL];
    if (part->lanes == 1)
        snprintf(threads, sizeof threads, "%u", part->first);
    else
        snprintf(threads, sizeof threads, "%u-%u", part->first,
                 part->first + part->lanes - 1);
    printf("  %-7s %-18s %5s %13s", threads,
           cell_trace(name, t->r->traces[part->trace]->name, 18),
           valid_word(x, (int)p), "");
    print_speed(t, x->parts[p].ops, &x->parts[p].time,
                part_ratio_to_libc(t->r, t->s, t->allocator, round, p),
                part_speedup(t->r, t->s, t->allocator, round, p));
}

static void print_round_line(const struct table *t, unsigned round)
{
    const struct round_result *x = result_round(t->s, t->allocator, round);
    char name[CELL];
    snprintf(name, sizeof name, "round %u: %u thread%s", round + 1,
             t->s->plan->rounds[round].nthreads,
             t->s->plan->rounds[round].nthreads == 1 ? "" : "s");
    printf("%-28s %5s", name, valid_word(x, -1));
    print_memory(x);
    print_speed(t, x->ops, &x->time,
                ratio_to_libc(t->r, t->s, t->allocator, round),
                round_speedup(t->r, t->s, t->allocator, round));
}

static void print_round_table(const struct table *t)
{
    printf("  %-7s %-18s %5s %6s %6s %9s %9s %8s %6s %7s%s\n", "thread",
           "trace", "valid", "util", "resid", "ops", "time", "Mops/s", "spread",
           "vs libc", t->speedup ? " speedup" : "");
    for (unsigned i = 0; i < t->s->plan->nrounds; i++) {
        for (unsigned p = 0; p < t->s->plan->rounds[i].nparts; p++)
            print_part_line(t, i, p);
        print_round_line(t, i);
    }
}

/* ---- what is not one trace's --------------------------------------------- */

/* What a dash means, if a valid line has one. */
static void print_legend(const struct table *t)
{
    bool small = false, old = false, brief = false;
    for (unsigned i = 0; i < t->s->plan->nrounds; i++) {
        const struct round_result *x = result_round(t->s, t->allocator, i);
        if (!result_valid(x) || !x->time.runs)
            continue;
        small |=
            x->touched_payload && x->touched_payload < RESULT_LEAST_WRITTEN;
        old |= x->touched_payload >= RESULT_LEAST_WRITTEN && !x->peak_resident;
        brief |= ratio_to_libc(t->r, t->s, t->allocator, i) == 0;
    }
    if (small)
        printf("  resid -: less is written than a page holds\n");
    if (old)
        printf("  resid -: it fits into memory that the heap had before\n");
    if (brief)
        printf("  vs libc -: the replay is too short to compare, less than "
               "%d us\n",
               MDRIVER_LEAST_NS / 1000);
}

static void print_section(const struct results *r, const struct section *s,
                          unsigned a, bool speedup)
{
    struct table t = {r, s, a, speedup && s->threads > 1};
    printf("\n%s: %u thread%s%s\n", r->allocators[a]->name, s->threads,
           s->threads == 1 ? "" : "s",
           s->threads == 1 ? ""
           : s->plan->same ? ", each trace by all of them"
                           : ", each with a trace of its own");
    if (!result_round(s, a, 0)->ran)
        printf("not run: %s\n", r->allocators[a]->single_threaded
                                    ? "it is for one thread only"
                                    : "nothing is left to compare it with");
    else if (one_trace_each(s->plan))
        print_trace_table(&t);
    else
        print_round_table(&t);
    print_legend(&t);
}

static bool has_one_thread(const struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++)
        if (r->sections[i].threads == 1)
            return true;
    return false;
}

void report_tables(const struct results *r, const struct options *o)
{
    for (unsigned i = 0; i < r->nsections; i++)
        for (unsigned a = 0; a < r->nallocators; a++) {
            if (r->shown[a] && !o->count)
                print_section(r, &r->sections[i], a, has_one_thread(r));
            if (r->shown[a] && o->verbose &&
                result_round(&r->sections[i], a, 0)->ran)
                report_details(r, &r->sections[i], a);
        }
}
