/* report_details.c - the further tables of -v. */
#include "driver/report/report.h"
#include "driver/report/report_cell.h"

void report_traces(const struct results *r)
{
    printf("\n%-26s %9s %9s %7s %10s %8s %8s %8s %6s\n", "trace", "ops",
           "blocks", "threads", "payload", "frees", "reallocs", "by other",
           "weight");
    for (unsigned i = 0; i < r->ntraces; i++) {
        const struct trace *t = r->traces[i];
        char name[CELL], payload[CELL];
        printf("%-26s %9zu %9zu %7u %10s %8zu %8zu %8zu %6d\n",
               cell_trace(name, t->name, 26), t->nops, t->nallocs, t->nthreads,
               cell_bytes(payload, t->peak_payload), t->nfrees, t->nreallocs,
               t->cross_frees, t->weight);
    }
}

static void name_round(const struct results *r, const struct round *round,
                       unsigned number, char text[CELL])
{
    if (round->nparts == 1)
        cell_trace(text, r->traces[round->parts[0].trace]->name, 26);
    else
        snprintf(text, CELL, "round %u: %u replays", number + 1, round->nparts);
}

void report_details(const struct results *r, const struct section *s,
                    unsigned allocator)
{
    printf("\n  %-26s %9s %9s %6s %9s %9s %9s %9s %4s\n", "in detail",
           "payload", "heap", "slack", "written", "resident", "best", "median",
           "runs");
    for (unsigned i = 0; i < s->plan->nrounds; i++) {
        const struct round_result *x = result_round(s, allocator, i);
        char name[CELL], payload[CELL], heap[CELL], touched[CELL];
        char slack[CELL], resident[CELL], best[CELL], median[CELL];
        name_round(r, &s->plan->rounds[i], i, name);
        printf("  %-26s %9s %9s %6s %9s %9s %9s %9s %4u\n", name,
               cell_bytes(payload, x->peak_payload),
               cell_bytes(heap, x->peak_heap),
               cell_percent(slack, x->slack, x->slack >= 0),
               cell_bytes(touched, x->touched_payload),
               cell_bytes(resident, x->peak_resident),
               cell_time(best, x->time.best), cell_time(median, x->time.median),
               x->time.runs);
    }
}
