/* seat.h - what a thread keeps as long as it lives, whatever its shard. */
#ifndef MM_FRONT_SEAT_H
#define MM_FRONT_SEAT_H

#include "mm/front/cache.h"
#include "mm/front/outbox.h"

struct shard;

/* Its thread's alone, but for open, which thieves read. */
struct seat {
    size_t open; /* NBINS; 0: its thread is inside, or it is free */
    struct cache cache;
    struct outbox outbox;
    struct shard *shard;
};

#endif
