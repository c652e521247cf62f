/* cache.h - bins in which nothing waits. */
#ifndef MM_FRONT_CACHE_H
#define MM_FRONT_CACHE_H

#include "mm/engine/arena.h"

#define NBINS ((size_t)4)
#define OPEN ((size_t)5)

struct cache {
    void *heads[NBINS];
};

static inline void cache_init(struct cache *c)
{
    (void)c;
}

static inline bool bin_take_home(struct cache *c, void *p, bool own)
{
    (void)c;
    (void)p;
    (void)own;
    return false;
}

#endif
