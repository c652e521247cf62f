/* report_summary.c - what is said at the end, of all rounds together. */
#include "driver/base/registry.h"
#include "driver/report/report.h"
#include "driver/report/report_cell.h"
#include "driver/report/summary.h"

void report_latency(const struct results *r)
{
    printf("\nLatency of single operations, ns (reading the clock takes %.0f "
           "of them)\n"
           "%-14s %7s %-8s %11s %8s %8s %8s %8s %11s\n",
           r->ticker.overhead, "allocator", "threads", "call", "calls", "p50",
           "p99", "p99.9", "p99.99", "max");
    static struct latency sum;
    for (unsigned i = 0; i < r->nsections; i++)
        for (unsigned a = 0; a < r->nallocators; a++) {
            sum_latency(&r->sections[i], a, &sum);
            for (int k = 0; k < LATENCY_KINDS; k++) {
                struct percentiles p =
                    latency_percentiles(&sum.kind[k], r->ticker.ns);
                if (p.count)
                    printf("%-14s %7u %-8s %11llu %8.0f %8.0f %8.0f %8.0f "
                           "%11.0f\n",
                           r->allocators[a]->name, r->sections[i].threads,
                           latency_name((enum latency_kind)k),
                           (unsigned long long)p.count, p.p50, p.p99, p.p999,
                           p.p9999, p.max);
            }
        }
}

static void print_summary_line(const struct results *r, unsigned section,
                               unsigned a)
{
    const struct section *s = &r->sections[section];
    struct summary sum = summarize_section(r, s, a);
    char valid[CELL], util[CELL], resident[CELL], harmonic[CELL];
    char arithmetic[CELL], libc[CELL], speedup[CELL];
    snprintf(valid, sizeof valid, "%u/%u", sum.valid, sum.replays);
    printf("%-14s %7u %9s %7s %9s %11s %11s %9s %9s\n", r->allocators[a]->name,
           s->threads, sum.ran && sum.checked ? valid : "-",
           cell_percent(util, sum.util, sum.util > 0),
           cell_ratio(resident, sum.resident),
           cell_mops(harmonic, sum.harmonic),
           cell_mops(arithmetic, sum.arithmetic), cell_ratio(libc, sum.vs_libc),
           cell_ratio(speedup, sum.speedup));
}

void report_summary(const struct results *r)
{
    printf("\nSummary\n"
           "%-14s %7s %9s %7s %9s %12s %12s %9s %9s\n"
           "%-14s %7s %9s %7s %9s %12s %12s %9s %9s\n",
           "", "", "", "util", "resident", "Mops/s", "Mops/s", "vs libc",
           "speedup", "allocator", "threads", "valid", "mean", "mean",
           "harm. mean", "arith. mean", "geomean", "total");
    for (unsigned i = 0; i < r->nsections; i++)
        for (unsigned a = 0; a < r->nallocators; a++)
            if (!registry_is_null(r->allocators[a]) || r->shown[a])
                print_summary_line(r, i, a);
}

void report_loop_cost(const struct results *r)
{
    for (unsigned i = 0; i < r->nsections; i++) {
        double ns = loop_cost(r, &r->sections[i]);
        if (ns > 0)
            printf("The driver's own loop, %u thread%s: %.2f ns per operation "
                   "(no-op allocator)\n",
                   r->sections[i].threads,
                   r->sections[i].threads == 1 ? "" : "s", ns);
    }
}
