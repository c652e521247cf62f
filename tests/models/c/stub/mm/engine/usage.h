/* usage.h - nothing is given to the system. What a purge reads of an arena is
 * its owner's. */
#ifndef MM_ENGINE_USAGE_H
#define MM_ENGINE_USAGE_H

#include "mm/engine/arena.h"

static inline void arena_purge(struct arena *a)
{
    slabs_trim(&a->heap, &a->slabs);
    heap_purge_from(&a->heap, DIRTY_MIN);
}

#endif
