/* rich.h - an orphan with plenty is one that a driver says has. */
#ifndef MM_FRONT_RICH_H
#define MM_FRONT_RICH_H

#include "mm/engine/arena.h"

#define NEVER_RICH SIZE_MAX

enum relief { WORK_THERE, TAKE_IN, LEAVE_ALONE };

static inline bool heap_is_rich(struct heap *h, size_t asize)
{
    (void)h;
    return asize != NEVER_RICH;
}

/* All lie in one zone. */
static inline enum relief arena_relief(const struct arena *a, struct arena *o,
                                       size_t asize)
{
    (void)a;
    return heap_is_rich(&o->heap, asize) ? WORK_THERE : TAKE_IN;
}

#endif
