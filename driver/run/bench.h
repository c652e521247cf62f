/* bench.h - carries out the plan: for each number of threads every round, with
 * every allocator (bench_round.h). */
#ifndef DRIVER_BENCH_H
#define DRIVER_BENCH_H

#include "driver/run/options.h"
#include "driver/run/result.h"

/** Run everything. Faults are in the results, and are told when they come
 * (announce.h). */
struct results *bench_run(const struct options *o, struct trace **traces,
                          unsigned ntraces);
void bench_free(struct results *r);

#endif
