/* rich.h - an orphan with plenty is one that a driver says has. */
#ifndef MM_FRONT_RICH_H
#define MM_FRONT_RICH_H

#include "mm/engine/arena.h"

#define NEVER_RICH SIZE_MAX

static inline bool heap_is_rich(struct heap *h, size_t asize)
{
    (void)h;
    return asize != NEVER_RICH;
}

#endif
