/* grade_print.c - points for people, for scripts, and for Autolab. */
#include "driver/report/grade.h"

#include "config.h"
#include "driver/base/driver_mem.h"
#include "driver/report/summary.h"
#include "driver/run/peer.h"

#include <string.h>

#define TOTAL_POINTS                                                           \
    (GRADE_CORRECT_POINTS + GRADE_UTIL_POINTS + GRADE_PERF_POINTS)

static double total(const struct grade *g)
{
    return g->correctness + g->utilization + g->throughput;
}

/* ---- for people ------------------------------------------------------ */

static void print_traces(const struct results *r, unsigned allocator,
                         const struct grade *g, FILE *f)
{
    double each = 0; /* points of a weight of 1 */
    for (unsigned t = 0; t < r->ntraces; t++)
        each += trace_weight(r, t) * g->traces / r->ntraces;
    each = GRADE_CORRECT_POINTS / each;
    fprintf(f, "  %-50s %7s  %-8s %9s\n", "trace", "threads", "result",
            "points");
    for (unsigned i = 0; i < r->nsections; i++) {
        const struct section *s = &r->sections[i];
        for (unsigned t = 0; grade_counts(s, allocator) && t < r->ntraces;
             t++) {
            int fault = grade_trace_fault(s, allocator, t);
            fprintf(f, "  %-50.50s %7u  %-8s %9.2f\n", r->traces[t]->name,
                    s->threads, fault_name(fault),
                    fault ? 0 : each * trace_weight(r, t));
        }
    }
}

static void print_line(FILE *f, const char *what, const char *figure,
                       double points, int most)
{
    fprintf(f, "  %-13s %-56.56s %8.2f / %d\n", what, figure, points, most);
}

/* "88.9 %, 85.7 % with 1, 4 threads": what the points are the mean of. */
static void say_figures(const struct results *r, unsigned allocator,
                        bool utilization, char *text, size_t room)
{
    char figures[64] = "", threads[32] = "";
    const char *comma = "";
    for (unsigned i = 0; i < r->nsections; i++) {
        const struct section *s = &r->sections[i];
        if (!grade_counts(s, allocator))
            continue;
        struct summary sum = summarize_section(r, s, allocator);
        size_t nf = strlen(figures), nt = strlen(threads);
        snprintf(figures + nf, sizeof figures - nf, "%s%.*f%s", comma,
                 utilization ? 1 : 2,
                 utilization ? 100 * sum.util : sum.vs_libc_most,
                 utilization ? " %" : "");
        snprintf(threads + nt, sizeof threads - nt, "%s%u", comma, s->threads);
        comma = ", ";
    }
    snprintf(text, room, "%s%s with %s thread%s", figures,
             utilization ? "" : " of libc's", threads,
             strcmp(threads, "1") == 0 ? "" : "s");
}

static void print_points(const struct results *r, unsigned allocator,
                         const struct grade *g, FILE *f)
{
    char text[128];
    snprintf(text, sizeof text, "%u of %u valid", g->valid, g->traces);
    print_line(f, "correctness", text, g->correctness, GRADE_CORRECT_POINTS);
    say_figures(r, allocator, true, text, sizeof text);
    print_line(f, "utilization", text, g->utilization, GRADE_UTIL_POINTS);
    say_figures(r, allocator, false, text, sizeof text);
    print_line(f, "throughput", text, g->throughput, GRADE_PERF_POINTS);
    const char *why = g->valid == g->traces
                          ? ""
                          : "nothing but correctness counts after a fault";
    print_line(f, "total", why, total(g), TOTAL_POINTS);
}

/* ---- for programs ---------------------------------------------------- */

static void print_for_scripts(const char *name, const struct grade *g,
                              const char *open, FILE *f)
{
    fprintf(f,
            "grade allocator=%s valid=%u/%u correctness=%.2f/%d "
            "utilization=%.2f/%d throughput=%.2f/%d total=%.2f/%d%s\n",
            name, g->valid, g->traces, g->correctness, GRADE_CORRECT_POINTS,
            g->utilization, GRADE_UTIL_POINTS, g->throughput, GRADE_PERF_POINTS,
            total(g), TOTAL_POINTS, open ? " not-isolated" : "");
}

/* Allocators' names need no escapes (mm.h). */
static void print_scores(const char *name, const struct grade *g, FILE *f)
{
    const char *dot = *name ? "." : "";
    fprintf(f,
            "\"%s%scorrectness\": %.2f, \"%s%sutilization\": %.2f, "
            "\"%s%sthroughput\": %.2f",
            name, dot, g->correctness, name, dot, g->utilization, name, dot,
            g->throughput);
}

static void print_json(const struct results *r, const struct grade *g,
                       unsigned ngraded, FILE *f)
{
    const char *separator = "";
    fprintf(f, "{\"scores\": {");
    for (unsigned a = 0; a < r->nallocators; a++) {
        if (!g[a].graded)
            continue;
        fputs(separator, f);
        separator = ", ";
        print_scores(ngraded == 1 ? "" : r->allocators[a]->name, &g[a], f);
    }
    fprintf(f, "}}\n");
}

void grade_print(const struct results *r, FILE *f)
{
    struct grade *g = driver_mem_alloc(r->nallocators * sizeof *g);
    unsigned ngraded = 0;
    for (unsigned a = 0; a < r->nallocators; a++) {
        if (r->shown[a] && !peer_library(r->allocators[a]))
            g[a] = grade_allocator(r, a);
        if (!g[a].graded)
            continue;
        ngraded++;
        fprintf(f, "\nGrade of %s\n", r->allocators[a]->name);
        print_traces(r, a, &g[a], f);
        print_points(r, a, &g[a], f);
        if (r->open[a])
            fprintf(f, "  not isolated: %s\n", r->open[a]);
    }
    fprintf(f, "\n");
    for (unsigned a = 0; a < r->nallocators; a++)
        if (g[a].graded)
            print_for_scripts(r->allocators[a]->name, &g[a], r->open[a], f);
    print_json(r, g, ngraded, f);
    driver_mem_free(g);
}
