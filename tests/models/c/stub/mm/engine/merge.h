/* merge.h - of two sets of blocks; what it does with slabs is the shipped
 * code's. */
#ifndef MM_ENGINE_MERGE_H
#define MM_ENGINE_MERGE_H

#include "mm/engine/arena.h"

#include "extracted_merge.h" /* slabs_splice, slab_relabel */

static inline void arena_merge(struct arena *to, struct arena *from)
{
    to->blocks |= from->blocks;
    to->heap.work += from->heap.work;
#ifdef SLAB
    slabs_splice(&to->slabs, &from->slabs, SLAB_CLASSES);
#endif
    arena_init(from, from->heap.owner);
}

static inline void arena_relabel(struct arena *a, uint32_t owner)
{
    for (int i = 0; i < BLOCKS; i++) {
        void *p = payload_at(i);
        if (!(a->blocks & 1u << i))
            continue;
        if (in_slab(i))
            slab_relabel(payload_slab(p), owner);
        else
            header_set_owner(payload_block(p), owner);
    }
}

#endif
