/* lists.h - what threads share without a lock: the inbox and the tagged stack.
 *
 *   inbox    chain ─► block ─► block ─► 0    many push, the owner takes all
 *            chain ─► CLOSED                 nobody owns it any more
 *   stack    head: | pushes and pops 44 | index + 1: 20 |    many push and pop
 *
 * All loops of compare-and-swap are here and in memlib.c. A failed CAS means
 * that another thread's succeeded, so some thread gets on (lock-free); none
 * ever waits for another to take a step.
 *
 * Why there is no ABA. A push compares the head and links its chain to just
 * that head: whatever happened between, the link is right when the CAS
 * succeeds. The owner takes all with one exchange, which compares nothing. Only
 * the stack's pop compares a head whose successor it read before, so each
 * success changes a tag of 44 bits: a thread would have to sleep in between for
 * a multiple of 2^44 operations, weeks of nothing but pushes and pops.
 *
 * The stack with a counter is Treiber's (1986) as IBM's System/370 manual
 * (1983) has it; a chain taken by one exchange is the usual one for many
 * producers and one consumer. tests/models/ checks them exhaustively. */
#ifndef MM_LOCKFREE_LISTS_H
#define MM_LOCKFREE_LISTS_H

#include "mm/count.h"
#include "mm/util.h"

#include <stdatomic.h>

/* ThreadSanitizer knows no fence: a read-modify-write instead, which orders
 * enough for it and for x86, but nothing in C: a word of one's own has no other
 * reader, and the compiler may leave it out. */
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

/* ---- inbox ----------------------------------------------------------- */

struct inbox {
    _Atomic(void *) chain; /* linked through the payloads' first words */
};

#define INBOX_CLOSED ((void *)1)

/** Push a chain of blocks in use. Any thread.
 * @param last  its last block, whose link is written.
 * @return false: the inbox is closed; what was written before it was closed
 *         is seen now (acquire, paired with the release in inbox_close). */
static inline bool inbox_push_remote(struct inbox *in, void *first, void *last)
{
    void *head;
    do {
        head = atomic_load_explicit(&in->chain, memory_order_acquire);
        if (unlikely(head == INBOX_CLOSED))
            return false;
        *(void **)last = head;
        count_rmw();
        /* Release, paired with the acquire in inbox_take and inbox_close: the
         * links are seen, and all that the pusher did with the blocks. */
    } while (!atomic_compare_exchange_weak_explicit(
        &in->chain, &head, first, memory_order_release, memory_order_relaxed));
    return true;
}

static inline bool inbox_has_mail(const struct inbox *in)
{
    return atomic_load_explicit(&in->chain, memory_order_relaxed) != NULL;
}

/** Take all blocks. Owner only; it is open. @return their chain */
static inline void *inbox_take_owner(struct inbox *in)
{
    if (!inbox_has_mail(in))
        return NULL;
    count_rmw();
    return atomic_exchange_explicit(&in->chain, NULL, memory_order_acquire);
}

/** As inbox_take_owner; from now on every push fails. */
static inline void *inbox_close_owner(struct inbox *in)
{
    count_rmw();
    return atomic_exchange_explicit(&in->chain, INBOX_CLOSED,
                                    memory_order_acq_rel);
}

/** From now on pushes succeed. Owner only; it is closed. Relaxed: a pusher
 * learns nothing from it, and what it pushes is looked at by who takes it. */
static inline void inbox_open_owner(struct inbox *in)
{
    atomic_store_explicit(&in->chain, NULL, memory_order_relaxed);
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
        /* Release, paired with the acquire in tagged_pop: who pops the node
         * sees its link and all that was done to it. */
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
