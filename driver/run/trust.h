/* trust.h - in the parent: can what a child tells of a submission be true? Its
 * code shares memory with what notes the figures there (docs/trust.md). */
#ifndef DRIVER_TRUST_H
#define DRIVER_TRUST_H

#include "driver/base/clock.h"
#include "driver/run/child.h"
#include "driver/run/isolate.h"

/* A timed command is one replay or two, and freeing what they left. */
#define TRUST_TIMES 10

/** @return in words what kept it from being isolated; NULL: nothing */
const char *trust_lacks(const struct isolation *seen);
/** Does it have the driver's threads and no more? @return false: a fault */
bool trust_threads(const struct job *job, const struct isolation *seen,
                   struct fault *fault);
/** A fault that it has claimed and not told is one; its text is one line. */
void trust_fault(const struct job *job, struct fault *fault);
/** Could it be so fast?
 * @param null    of the no-op allocator; runs 0: not known
 * @param beyond  seconds of processor time that the quickest command took
 *                beyond TRUST_TIMES the time that was told of it
 * @return false: a fault */
bool trust_time(const struct job *job, const struct timing *own,
                const struct timing *null, double beyond, struct fault *fault);

#endif
