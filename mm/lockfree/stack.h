/* stack.h - a stack of shards that many threads push to and pop from, without a
 * lock, and the fence of a thief.
 *
 *   stack    head: | pushes and pops 44 | index + 1: 20 |
 *
 * A failed CAS means that another thread's succeeded, so some thread gets on
 * (lock-free); none ever waits for another to take a step.
 *
 * Why there is no ABA. A pop compares a head whose successor it read before, so
 * each success changes a tag of 44 bits: a thread would have to sleep in
 * between for a multiple of 2^44 operations, days of nothing but pushes and
 * pops.
 *
 * The stack with a counter is Treiber's (1986) as IBM's System/370 manual
 * (1983) has it. tests/models/ checks it exhaustively. */
#ifndef MM_LOCKFREE_STACK_H
#define MM_LOCKFREE_STACK_H

#include "count.h"
#include "mm/util.h"

#include <stdatomic.h>

/* ThreadSanitizer knows no fence. A read-modify-write in its place orders
 * enough for it and for x86, but nothing in C: no other thread reads the word,
 * and the compiler may leave it out. */
#if defined __SANITIZE_THREAD__
#define FENCE_BY_RMW true
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define FENCE_BY_RMW true
#endif
#endif

/* What was stored before is seen by all before anything is loaded afterwards;
 * its partner is the same fence in another thread. @return true */
static inline bool full_fence(void)
{
#ifdef FENCE_BY_RMW
    _Atomic int own = 0;
    atomic_fetch_add_explicit(&own, 1, memory_order_seq_cst);
#else
    atomic_thread_fence(memory_order_seq_cst);
#endif
    return true;
}

/* ---- tagged stack ---------------------------------------------------- */

/* All zero is an empty stack. Nodes are numbered; each has a link that stays
 * readable for ever, as a pop that lost may still look at it. */
struct tagged {
    _Atomic uint64_t head;
};

#define TAGGED_INDEX_BITS 20
#define TAGGED_INDEX_MASK (((uint64_t)1 << TAGGED_INDEX_BITS) - 1)
#define TAGGED_NONE UINT32_MAX

static inline uint64_t tagged_next(uint64_t head, uint64_t index1)
{
    return ((head | TAGGED_INDEX_MASK) + 1) | index1;
}

/** Push node index, whose link is *link. Any thread. */
static inline void tagged_push(struct tagged *s, _Atomic uint32_t *link,
                               uint32_t index)
{
    uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed), next;
    do {
        atomic_store_explicit(link, (uint32_t)(head & TAGGED_INDEX_MASK),
                              memory_order_relaxed);
        next = tagged_next(head, (uint64_t)index + 1);
        count_rmw();
        /* Release, paired with the acquire in tagged_pop: a thread that pops
         * the node sees its link and all that was done to it. */
    } while (!atomic_compare_exchange_weak_explicit(
        &s->head, &head, next, memory_order_release, memory_order_relaxed));
}

/** Any thread. @param link_of  a node's link.
 * @return a node's index, now the caller's; TAGGED_NONE: it is empty */
static inline uint32_t tagged_pop(struct tagged *s,
                                  _Atomic uint32_t *(*link_of)(uint32_t))
{
    uint64_t head, next;
    uint32_t index;
    do {
        /* Acquire, paired with the release in tagged_push. That the head is
         * still the same, which the tag says, needs no order. */
        head = atomic_load_explicit(&s->head, memory_order_acquire);
        index = (uint32_t)(head & TAGGED_INDEX_MASK) - 1;
        if (index == TAGGED_NONE)
            return TAGGED_NONE;
        /* Perhaps no longer in the stack: then the tag differs, and so it does
         * not matter what is read here. */
        next = tagged_next(
            head, atomic_load_explicit(link_of(index), memory_order_relaxed));
        count_rmw();
    } while (!atomic_compare_exchange_weak_explicit(
        &s->head, &head, next, memory_order_relaxed, memory_order_relaxed));
    return index;
}

#endif
