/* team.h - the threads of a replay: they start and stop their work together.
 *
 *   caller   team_run ─┐                       ┌─ returns
 *   member 0           ├── work(arg, 0) ───────┤
 *   member 1           └── work(arg, 1) ──┘....┤   barrier on both sides
 *
 * A team of one has no thread of its own: the caller does the work. So with
 * -n 1 the process is single-threaded, as a real such program is, and an
 * allocator that is faster then (glibc's is) shows it.
 *
 * Several members for which there are processors enough get one each. Left to
 * the system, two that wake each other often stay on one for milliseconds, the
 * length of a replay, and take turns where they should work at once. */
#ifndef DRIVER_TEAM_H
#define DRIVER_TEAM_H

#include <stdbool.h>

struct team;

/** Have n threads a processor each, of those that we may use? */
bool team_fits(unsigned n);
/** Start n threads, and in each call hello once before all else.
 * @param pin  keep member i on the i-th of the processors that we may use,
 *             modulo their number, also where there are more members. */
struct team *team_start(unsigned n, bool pin, void (*hello)(void *, unsigned),
                        void *arg);
/** Every member calls work(arg, its number). Returns when all are done. */
void team_run(struct team *c, void (*work)(void *arg, unsigned member),
              void *arg);
/** Every member calls bye, and ends. */
void team_end(struct team *c, void (*bye)(void *, unsigned), void *arg);

#endif
