/* seat.h - what a thread keeps as long as it lives, whatever its shard. It may
 * have several, and sits in one: see mm/lockfree/thread.h. */
#ifndef MM_FRONT_SEAT_H
#define MM_FRONT_SEAT_H

#include "mm/front/cache.h"
#include "mm/front/outbox.h"

struct shard;

/* Its thread's alone, but for open, which thieves read. */
struct seat {
    size_t open;       /* NBINS; 0: its thread is inside, or it is free */
    uint32_t asides;   /* calls that found it shut, since it was entered */
    struct seat *also; /* another one of its thread; a ring */
    struct cache cache;
    struct outbox outbox;
    struct shard *shard;
};

#endif
