/* remote.h - what reaches a shard of the lock-free stage from outside, and how
 * an orphan serves a thread in need. */
#ifndef MM_LOCKFREE_REMOTE_H
#define MM_LOCKFREE_REMOTE_H

#include "mm/lockfree/registry.h"

#include "mm/front/adopt.h"

/* In a fork's child, which may have got some pages earlier than others, what
 * the parent's other threads had is left alone. */
static inline bool shard_is_foreign(const struct shard *s)
{
    return atomic_load_explicit(&s->process, memory_order_relaxed) !=
           process_number();
}

/* Only counted: its thread will come, or a thief, when it is idle. Of two that
 * send at once one may not be counted: it is a hint for those who look from
 * outside, and not worth a locked instruction. */
static inline void shard_sent(struct shard *to, size_t bytes)
{
    size_t sum = atomic_load_explicit(&to->inbox_bytes, memory_order_relaxed);
    count_shared();
    atomic_store_explicit(&to->inbox_bytes, sum + bytes, memory_order_relaxed);
}

/* Leave s, which is entered, and work in orphan o, which is the caller's, from
 * now on. Thieves look at a shard's struct thread before they take the shard.
 * So o gets this thread's struct, which is not open, before it can be claimed.
 * A thief that has claimed s may find there the struct that o had, or find this
 * thread's own struct open later: its CAS fails, as the state of s has changed.
 */
static inline void shard_exchange(struct shard *s, struct shard *o)
{
    threads_swap(s, o);
    atomic_store_explicit(&o->process, process_number(), memory_order_relaxed);
    state_set(o, OWNED);
    shard_push_orphan(s);
}

/* s needs a block of asize bytes and would have to grow, but an orphan may be
 * there. One that has plenty is used from now on instead of s (rich.h); one
 * that has not is taken into s, if it can be.
 * @return the shard to go on with, entered; NULL: there was no orphan */
static cold_noinline struct shard *shard_relieve(struct shard *s, size_t asize)
{
    struct shard *o = shard_pop_orphan();
    return o ? shard_use_orphan(s, o, asize) : NULL;
}

/* s is full: work in an empty shard from now on. @return it, entered; or s, as
 * there is none */
static cold_noinline struct shard *shard_renew(struct shard *s)
{
    struct shard *n = shard_new();
    if (n)
        shard_exchange(s, n);
    return n ? n : s;
}

/* A shard that nobody else has; its struct thread is empty, and not open. It is
 * not yet OWNED, so no thief looks at it. NULL: out of memory. */
static inline struct shard *shard_get(void)
{
    uint32_t number = process_number();
    struct shard *s = shard_pop_orphan();
    if (!s && !(s = shard_new()))
        return NULL;
    atomic_store_explicit(&s->process, number, memory_order_relaxed);
    return s;
}

/* The same, OWNED, with the struct thread that it has. From here thieves may
 * claim it, and read which struct that is. */
static inline struct shard *shard_acquire(void)
{
    struct shard *s = shard_get();
    if (s)
        state_set(s, OWNED);
    return s;
}

#endif
