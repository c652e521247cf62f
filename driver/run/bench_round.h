/* bench_round.h - one round of the plan, with every allocator.
 *
 *   for each allocator, a child: checked pass
 *   for each allocator that passed, a child that stays:
 *       touch pass
 *       timed replay, each allocator in turn, until all agree
 *       latency replay, each allocator in turn
 *
 * Allocators are interleaved, replay by replay: what the machine does
 * meanwhile (frequency, neighbours) hits all of them alike. */
#ifndef DRIVER_BENCH_ROUND_H
#define DRIVER_BENCH_ROUND_H

#include "driver/run/options.h"
#include "driver/run/result.h"

/** Fill result_round(s, a, round) for every allocator a. */
void bench_round(const struct options *o, struct results *r, struct section *s,
                 unsigned round);

#endif
