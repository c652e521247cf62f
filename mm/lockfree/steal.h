/* steal.h - a sleeping thread's shard, taken for a moment.
 *
 * A thread that sleeps leaves free memory lying about. Its shard is
 * taken for a moment: claimed by CAS; then mem_barrier makes the thread's entry
 * (open = 0, a plain store) and the claim visible to each other: either the
 * thread sees the claim when it enters, or the thief sees that it is inside.
 *
 *   owner   open = 0; look at state        thief   state = claimed; barrier;
 *           claimed: CAS it back                   open == 0: give up
 *           stolen: take another shard             else CAS it to stolen
 *
 * A thread that meets a claim takes it back and goes on; one that finds its
 * shard stolen takes another one. No thread waits. (The fence that only the
 * rare side pays is the asymmetric Dekker of Dice, Huang and Yang, 2001.) */
#ifndef MM_LOCKFREE_STEAL_H
#define MM_LOCKFREE_STEAL_H

#include "mm/lockfree/remote.h"

#include "mm/front/decay.h"

/* @return whether s, another thread's, is the caller's for now */
static inline bool shard_steal(struct shard *s)
{
    uint64_t state = state_get(s);
    if (status_of(state) > CLAIMED || shard_is_foreign(s) ||
        !state_change(s, &state, CLAIMED))
        return false;
    bool fenced = mem_range.no_barrier ? full_fence() : mem_barrier();
    /* Acquire, paired with the release in leave: what its thread did. */
    bool outside =
        fenced && __atomic_load_n(&thread_of(s)->open, __ATOMIC_ACQUIRE);
    return state_change(s, &state, outside ? STOLEN : OWNED) && outside;
}

static inline void shard_return(struct shard *s)
{
    uint64_t state = state_get(s);
    if (status_of(state) != STOLEN || !state_change(s, &state, OWNED))
        shard_push_orphan(s); /* its thread has another one now */
}

/* Orphans are reached by their stacks only: see orphans_decay. */
static inline bool shard_take_idle(struct shard *s)
{
    return shard_steal(s);
}

/* The oldest ones, at most `most`. */
static inline void orphans_decay(struct shard *s, unsigned most,
                                 void (*work)(struct shard *o, struct shard *s))
{
    for (struct shard *o; most && (o = shard_pop_orphan()); most--) {
        work(o, s);
        shard_push_orphan(o);
    }
}

#endif
