/* decay.h - nobody looks at the clock: nothing has rested. */
#ifndef MM_FRONT_DECAY_H
#define MM_FRONT_DECAY_H

#include "mm/front/purge.h"

static inline void shard_note_use(struct shard *s)
{
    activity_note(&s->activity, heap_purgeable(&s->arena.heap));
}

#endif
