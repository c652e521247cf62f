/* lock.h - a lock that is left out while the process has one thread only, that
 * knows its holder, and that has a place in an order.
 *
 *   holder   | a thread, as an address of its own | sleepers |   0: nobody
 *              63 bits                              1 bit
 *
 * One compare-and-swap of the holder takes the lock, and one exchange gives it
 * back. Locks are held for a microsecond. A thread that finds one held looks a
 * few times more before it sleeps (futex(2)), which takes longer.
 *
 * A thread that meets its own lock is inside the allocator already: a signal
 * handler interrupted malloc, and calls it, or left it by siglongjmp. It would
 * wait for itself, and what the lock guards may be half changed: so it dies
 * with a line. As one swap makes the lock its own, that is known for certain,
 * at whichever instruction the handler came.
 *
 * A thread that waits for a lock holds only locks of lower rank, so that no
 * threads wait for each other in a circle; a debug build dies where that is not
 * so. One that only tries never waits, and may hold any. */
#ifndef MM_LOCK_H
#define MM_LOCK_H

#include "count.h"
#include "hint.h"
#include "mm/util.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <time.h>

/* Has this process one thread? Where libc does not say (musl), the answer is
 * no: locks are taken that nobody else wants. */
#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#define single_threaded() (__libc_single_threaded)
#else
#define single_threaded() 0
#endif

enum rank {
    RANK_NONE, /* not checked: it was only tried, or fork takes them all */
    RANK_REGISTRY,
    RANK_SHARD,
    RANK_SECOND /* shard */
};

struct lock {
    _Atomic uintptr_t holder;
    unsigned char rank; /* as which it was taken; the holder's */
};

#define LOCK_INITIALIZER                                                       \
    {                                                                          \
        0, RANK_NONE                                                           \
    }

#define SLEEPERS ((uintptr_t)1) /* threads sleep, or are about to */
#define LOOKS 100               /* before a thread sleeps: a few microseconds */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
               "futex looks at the first half of the holder");

static __thread unsigned ranks_held; /* bit r: a lock of rank r; MM_DEBUG */

static always_inline uintptr_t lock_me(void)
{
    return (uintptr_t)&ranks_held; /* even, and no other living thread's */
}

static inline void rank_enter(enum rank rank)
{
    if (MM_DEBUG && rank) {
        dbg_requires(ranks_held >> rank == 0, "lock order", &ranks_held);
        ranks_held |= 1u << rank;
    }
}

/* Acquire, paired with the release in lock_drop: what the last holder did under
 * the lock is seen. */
static always_inline bool lock_swap(struct lock *l, uintptr_t from,
                                    uintptr_t to)
{
    return atomic_compare_exchange_strong_explicit(
        &l->holder, &from, to, memory_order_acquire, memory_order_relaxed);
}

/* Sleep while the first half of the holder is that of `is`, a second at most: a
 * thread that left by siglongjmp may have woken nobody. */
static inline void lock_sleep(struct lock *l, uintptr_t is)
{
    struct timespec second = {.tv_sec = 1};
    syscall(SYS_futex, &l->holder, FUTEX_WAIT_PRIVATE, (uint32_t)is, &second);
}

/* Wait until nobody holds l, and take it; or only wait: where many do that,
 * none is behind another. Relaxed: lock_swap is what takes the lock. errno
 * stays. */
static cold_noinline void lock_wait(struct lock *l, bool take)
{
    uintptr_t me = lock_me();
    int saved = errno, looks = LOOKS;
    for (;;) {
        uintptr_t is = atomic_load_explicit(&l->holder, memory_order_relaxed);
        if ((is & ~SLEEPERS) == me)
            mm_die("this thread is inside malloc or free already: a signal "
                   "handler called it, or left it by siglongjmp (the stage "
                   "lockfree allows both); it holds the lock",
                   l);
        if (is == 0 && (!take || lock_swap(l, 0, looks ? me : me | SLEEPERS)))
            break;
        if (looks > 0) {
            looks--;
            cpu_relax();
        } else if (is & SLEEPERS || (is && lock_swap(l, is, is | SLEEPERS))) {
            lock_sleep(l, is | SLEEPERS);
        }
    }
    errno = saved;
}

static inline void lock_take_as(struct lock *l, enum rank rank)
{
    if (likely(single_threaded()))
        return;
    rank_enter(rank);
    count_rmw();
    if (unlikely(!lock_swap(l, 0, lock_me())))
        lock_wait(l, true);
    l->rank = (unsigned char)rank;
}

static inline bool lock_try(struct lock *l)
{
    if (single_threaded())
        return true;
    count_rmw();
    if (!lock_swap(l, 0, lock_me()))
        return false;
    l->rank = RANK_NONE;
    return true;
}

static cold_noinline void lock_wake(struct lock *l, int sleepers)
{
    int saved = errno;
    syscall(SYS_futex, &l->holder, FUTEX_WAKE_PRIVATE, sleepers);
    errno = saved;
}

/* Relaxed: only this thread makes it so. */
static inline bool lock_is_mine(const struct lock *l)
{
    return (atomic_load_explicit(&l->holder, memory_order_relaxed) &
            ~SLEEPERS) == lock_me();
}

/* Drop l, and wake that many sleepers. A lock that was left out, as there was
 * one thread, has no holder. Relaxed: if l is this thread's, this thread wrote
 * it.
 */
static inline void lock_drop_for(struct lock *l, int sleepers)
{
    if (!atomic_load_explicit(&l->holder, memory_order_relaxed))
        return;
    if (MM_DEBUG && l->rank)
        ranks_held &= ~(1u << l->rank);
    count_rmw();
    if (unlikely(atomic_exchange_explicit(&l->holder, 0, memory_order_release) &
                 SLEEPERS))
        lock_wake(l, sleepers);
}

static inline void lock_drop(struct lock *l)
{
    lock_drop_for(l, 1);
}

#endif
