/* steal.h - another thread's shard, taken for a moment: to purge it while its
 * thread sleeps, or where there is no other memory.
 *
 *   thread   lock          thief   try the lock: taken, give up
 *            malloc                look at its state
 *            unlock                purge; unlock
 *
 * Its lock is all that decides: while a thief has it, the shard's own thread
 * waits, if it comes by just then. */
#ifndef MM_ARENA_STEAL_H
#define MM_ARENA_STEAL_H

#include "mm/arena/remote.h"

#include "mm/front/decay.h"

/* While nobody else has its lock, its thread is not inside. */
static inline bool shard_steal(struct shard *s)
{
    return shard_try(s, OWNED);
}

static inline void shard_return(struct shard *s)
{
    lock_drop(&s->lock);
}

/* Under its lock an orphan may be purged like any other. */
static inline bool shard_take_idle(struct shard *s)
{
    return status_of(state_get(s)) <= ORPHAN && shard_try(s, ORPHAN);
}

static inline void orphans_decay(struct shard *s, unsigned most,
                                 void (*work)(struct shard *o, struct shard *s))
{
    for (uint32_t i = 0; i < shard_count() && most; i++) {
        struct shard *o = shard_at(i);
        if (!o || status_of(state_get(o)) != ORPHAN || !shard_try(o, ORPHAN))
            continue;
        work(o, s);
        shard_return(o);
        most--;
    }
}

#endif
