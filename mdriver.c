/* mdriver.c - replays traces through memory allocators and says how they did.
 *
 *   options ─► traces ─► bench (plan, sandboxes, passes) ─► results ─► reports
 *
 * docs/driver.md describes the options and defines every figure. */
#include "driver/base/driver_mem.h"
#include "driver/base/registry.h"
#include "driver/base/sanitized.h"
#include "driver/report/grade.h"
#include "driver/report/heapmap_run.h"
#include "driver/report/output.h"
#include "driver/report/report.h"
#include "driver/report/scene_run.h"
#include "driver/report/summary.h"
#include "driver/report/weights.h"
#include "driver/run/bench.h"
#include "driver/run/isolate.h"
#include "driver/run/peer.h"
#include "driver/run/profile.h"
#include "driver/run/stages.h"
#include "driver/run/submission.h"

#include <stdlib.h>
#include <unistd.h>

#define ERR_ROOM 1024

static void list_allocators(void)
{
    for (size_t i = 0; registry[i]; i++)
        printf("%-14s %s\n", registry[i]->name, registry[i]->summary);
    peer_list();
}

static struct trace **read_traces(const struct options *o)
{
    struct trace **traces = driver_mem_alloc(o->npaths * sizeof *traces);
    char err[ERR_ROOM];
    for (size_t i = 0; i < o->npaths; i++) {
        traces[i] = trace_read(o->paths[i], err, sizeof err);
        if (!traces[i]) {
            fprintf(stderr, "mdriver: %s\n", err);
            exit(EXIT_USAGE);
        }
    }
    return traces;
}

/* @return NULL: all weigh alike */
static double *read_weights(const struct options *o, struct trace **traces)
{
    char err[ERR_ROOM];
    if (!o->weights)
        return NULL;
    double *weights =
        weights_read(o->weights, traces, (unsigned)o->npaths, err, sizeof err);
    if (weights)
        return weights;
    fprintf(stderr, "mdriver: %s\n", err);
    exit(EXIT_USAGE);
}

static void print_results(const struct results *r, const struct options *o)
{
    if (o->verbose)
        report_traces(r);
    report_tables(r, o);
    if (o->latency)
        report_latency(r);
    if (o->count)
        report_counts(r);
    else
        report_summary(r);
    if (o->stages)
        stages_say(r);
    if (o->verbose > 1)
        report_loop_cost(r);
    if (o->grade)
        grade_print(r, stdout);
}

static int measure(const struct options *o, struct trace **traces)
{
    FILE *csv = output_open(o->csv), *json = output_open(o->json);
    double *weights = read_weights(o, traces);
    struct results *r = bench_run(o, traces, (unsigned)o->npaths);
    r->weights = weights;
    print_results(r, o);
    if (csv)
        report_csv(r, o, csv);
    if (json)
        report_json(r, o, json);
    output_close(csv, o->csv);
    output_close(json, o->json);
    output_close(stdout, "standard output");
    int status = any_fault(r) ? EXIT_FAULT : EXIT_SUCCESS;
    bench_free(r);
    driver_mem_free(weights);
    return status;
}

static int draw(const struct options *o, struct trace **traces)
{
    FILE *csv = output_open(o->heapmap);
    int status = heapmap_run(o, traces, csv);
    output_close(csv, o->heapmap);
    return status;
}

static int watch(const struct options *o, struct trace **traces)
{
    FILE *page = output_open(o->watch_page);
    int status = scene_run(o, traces[0], page);
    output_close(page, o->watch_page);
    return status;
}

int main(int argc, char **argv)
{
    struct options o;
    peer_main(argc, argv);
    submission_main(argc, argv);
    options_read(&o, argc, argv);
    if (o.list) {
        list_allocators();
        options_free(&o);
        return EXIT_SUCCESS;
    }
    if (o.grade)
        isolate_self();
    struct trace **traces = read_traces(&o);
    int status = o.once      ? profile_run(&o, traces)
                 : o.watch   ? watch(&o, traces)
                 : o.heapmap ? draw(&o, traces)
                             : measure(&o, traces);
    for (size_t i = 0; i < o.npaths; i++)
        trace_free(traces[i]);
    driver_mem_free(traces);
    options_free(&o);
    fflush(NULL);
    if (!SANITIZED)
        _exit(status); /* nothing that an allocator left for exit is run */
    return status;
}
