/* merge.h - of two sets of blocks. */
#ifndef MM_ENGINE_MERGE_H
#define MM_ENGINE_MERGE_H

#include "mm/engine/arena.h"

static inline void arena_merge(struct arena *to, struct arena *from)
{
    to->blocks |= from->blocks;
    to->heap.work += from->heap.work;
    arena_init(from, from->owner);
}

static inline void arena_relabel(struct arena *a, uint32_t owner)
{
    for (int i = 0; i < BLOCKS; i++)
        if (a->blocks & 1u << i)
            header_set_owner(payload_block(payload_at(i)), owner);
}

#endif
