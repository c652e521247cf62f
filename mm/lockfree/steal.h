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
 * Who meets a claim takes it back and goes on; who finds his shard stolen takes
 * another one. Nobody waits. (The fence that only the rare side pays is the
 * asymmetric Dekker of Dice, Huang and Yang, 2001.) */
#ifndef MM_LOCKFREE_STEAL_H
#define MM_LOCKFREE_STEAL_H

#include "mm/lockfree/shard.h"
#include "mm/front/high_water.h"

#define SCAN_SHARDS 64 /* are looked at, at most, each time the next */

/* @return whether s, another thread's, is the caller's for now */
static inline bool shard_steal(struct shard *s)
{
    uint64_t state = state_get(s);
    if (status_of(state) > CLAIMED ||
        atomic_load_explicit(&s->process, memory_order_relaxed) !=
            process_number() ||
        !state_change(s, &state, CLAIMED))
        return false;
    bool fenced = mem_range.no_barrier ? full_fence() : mem_barrier();
    /* Acquire, paired with the release in leave: what its thread did. */
    bool outside =
        fenced && __atomic_load_n(&seat_of(s)->open, __ATOMIC_ACQUIRE);
    return state_change(s, &state, outside ? STOLEN : OWNED) && outside;
}

static inline void shard_give_back(struct shard *s)
{
    uint64_t state = state_get(s);
    if (status_of(state) != STOLEN || !state_change(s, &state, OWNED))
        shard_push_orphan(s); /* its thread has another one now */
}

/* Free what came to s, which is stolen, or mine. */
static inline void shard_free_mail(struct shard *s, struct shard *mine)
{
    free_chain(s, &seat_of(mine)->outbox, inbox_take_owner(&s->inbox));
}

/* The same, and give its waste to the system. */
static inline void shard_tend(struct shard *s, struct shard *mine)
{
    shard_free_mail(s, mine);
    heap_purge_from(&s->arena.heap, DIRTY_MIN);
    shard_count_resident(s);
    atomic_store_explicit(&s->waste, 0, memory_order_relaxed);
}

/* ---- waste of others --------------------------------------------------- */

/* Is there something to get from other, whom nobody has entered since the last
 * look? Very much is worth it even if its thread meets the thief. */
static inline bool rests(struct shard *other)
{
    uint32_t uses = atomic_load_explicit(&other->uses, memory_order_relaxed);
    bool rested =
        atomic_load_explicit(&other->seen, memory_order_relaxed) == uses;
    bool swept =
        atomic_load_explicit(&other->swept, memory_order_relaxed) == uses;
    size_t waste = atomic_load_explicit(&other->waste, memory_order_relaxed);
    atomic_store_explicit(&other->seen, uses, memory_order_relaxed);
    count_shared();
    return waste >= SCAN_LARGE ||
           (rested && (inbox_has_mail(&other->inbox) || !swept));
}

/* Give back what rests with others, who may be asleep. */
static void scan(struct shard *s)
{
    uint32_t n = shard_count(), most = (uint32_t)min_size(n, SCAN_SHARDS);
    count_rmw();
    uint32_t at = atomic_fetch_add_explicit(&process()->cursor, most,
                                            memory_order_relaxed);
    for (uint32_t i = 0; i < most; i++) {
        struct shard *other = shard_at((at + i) % n);
        if (!other || other == s || !rests(other) || !shard_steal(other))
            continue;
        shard_tend(other, s);
        atomic_store_explicit(
            &other->swept,
            atomic_load_explicit(&other->uses, memory_order_relaxed),
            memory_order_relaxed);
        shard_give_back(other);
    }
}

/* Count s. When all are to need more than ever, look at the waste of others
 * first (high_water.h). Signed: a child made in the middle of a count may
 * have a sum below 0. */
static cold_noinline void recount(struct shard *s)
{
    struct process *all = process();
    size_t record = atomic_load_explicit(&all->record, memory_order_relaxed);
    size_t whole = shard_count_resident(s), left;
    if ((ptrdiff_t)whole <= (ptrdiff_t)record)
        return;
    scan(s);
    left = atomic_load_explicit(&all->resident, memory_order_relaxed);
    record = record_after(record, whole, min_size(left, whole));
    atomic_store_explicit(&all->record, record, memory_order_relaxed);
}

/* Memory was taken from s: does its part of the whole differ by a step? */
static inline void took(struct shard *s)
{
    if (unlikely(is_step(heap_resident(&s->arena.heap), s->counted)))
        recount(s);
}

#endif
