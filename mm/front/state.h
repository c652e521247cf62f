/* state.h - a shard's state: its status, and how often that has changed.
 *
 *   63                   3 2    0
 *   | how often it changed | status |
 *
 * So a state that was read means one stretch of time: a CAS from it fails if
 * the shard has been anything else since, though its status may be the same
 * again. What the statuses are is the stage's business (shard.h).
 *
 * To be included by a stage after its enum status and struct shard, which has a
 * state. */
#ifndef MM_FRONT_STATE_H
#define MM_FRONT_STATE_H

#include "mm/util.h"

#include <stdatomic.h>

#define STATUS_BITS 3

/** The state of s. Acquire, paired with the releases of state_set and of the
 * stage's CAS: the arena, and the inbox, as whoever changed it left them. */
static inline uint64_t state_get(const struct shard *s)
{
    return atomic_load_explicit(&s->state, memory_order_acquire);
}

static always_inline enum status status_of(uint64_t state)
{
    return state & ((1u << STATUS_BITS) - 1);
}

/** The state that comes after this one. */
static inline uint64_t state_next(uint64_t state, enum status status)
{
    return ((state >> STATUS_BITS) + 1) << STATUS_BITS | status;
}

#endif
