/* report.h - results for people (tables) and for programs (CSV, JSON). */
#ifndef DRIVER_REPORT_H
#define DRIVER_REPORT_H

#include "driver/run/options.h"
#include "driver/run/result.h"

#include <stdio.h>

#define REPORT_WIDTH 100 /* columns; no line of a table is longer */

/** On stdout: the tables of all allocators that are shown, and all faults. */
void report_tables(const struct results *r, const struct options *o);
/** -v: what the traces are; and beside an allocator's table, the bytes and
 * times that its figures are made of. */
void report_traces(const struct results *r);
void report_details(const struct results *r, const struct section *s,
                    unsigned allocator);
/** --latency: percentiles of all rounds together. */
void report_latency(const struct results *r);
/** One line for each allocator and number of threads. */
void report_summary(const struct results *r);
/** --count: how often threads met, for each trace. */
void report_counts(const struct results *r);
/** -V: what the driver's own loop takes. */
void report_loop_cost(const struct results *r);

/** One line for each trace in each round with each allocator. */
void report_csv(const struct results *r, const struct options *o, FILE *f);
void report_json(const struct results *r, const struct options *o, FILE *f);

/** What every result file says of its origin. */
struct origin {
    char date[32], machine[64], cpu[96];
    long processors;
};
struct origin report_origin(void);

#endif
