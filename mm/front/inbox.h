/* inbox.h - where other threads leave blocks for an arena's owner: one word.
 *
 *   inbox    chain ─► block ─► block ─► 0    many push, the owner takes all
 *            chain ─► CLOSED                 nobody owns it any more
 *
 * A failed CAS means that another thread's succeeded, so some thread gets on
 * (lock-free); none ever waits for another to take a step. There is no ABA: a
 * push compares the head and links its chain to just that head, whatever
 * happened between; the owner takes all with one exchange, which compares
 * nothing. A chain taken by one exchange is the usual way for many producers
 * and one consumer. tests/models/ checks it exhaustively. */
#ifndef MM_FRONT_INBOX_H
#define MM_FRONT_INBOX_H

#include "count.h"
#include "mm/util.h"

#include <stdatomic.h>

struct inbox {
    _Atomic(void *) chain; /* linked through the payloads' first words */
};

#define INBOX_CLOSED ((void *)1)

/** Push a chain of blocks in use. Any thread.
 * @param last  its last block, whose link is written.
 * @return false: the inbox is closed; what was written before it was closed
 * is seen now (acquire, paired with the release in inbox_close_owner). */
static inline bool inbox_push_remote(struct inbox *in, void *first, void *last)
{
    void *head;
    do {
        head = atomic_load_explicit(&in->chain, memory_order_acquire);
        if (unlikely(head == INBOX_CLOSED))
            return false;
        *(void **)last = head;
        count_rmw();
        /* Release, paired with the acquire in inbox_take_owner and
         * inbox_close_owner: the links are seen, and all that the pusher did
         * with the blocks. */
    } while (!atomic_compare_exchange_weak_explicit(
        &in->chain, &head, first, memory_order_release, memory_order_relaxed));
    return true;
}

/** Its chain, NULL or INBOX_CLOSED. Relaxed: the chain is walked only while
 * all threads are at rest. */
static inline void *inbox_look(const struct inbox *in)
{
    return atomic_load_explicit(&in->chain, memory_order_relaxed);
}

static inline bool inbox_has_blocks(const struct inbox *in)
{
    return inbox_look(in) != NULL;
}

/** Take all blocks. Owner only; it is open. @return their chain */
static inline void *inbox_take_owner(struct inbox *in)
{
    if (!inbox_has_blocks(in))
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

/** Is it closed? Any thread, to which a push said so. It may have been opened
 * since, by what this thread has not seen yet, though it has seen what the
 * owner wrote later: a block's label leads here, and no lock or order is
 * between. The swap, of a value for itself, comes before the opening or fails.
 * Release, paired with the acquire in inbox_open_owner: if it comes before,
 * nothing that this thread has read was written after the opening. */
static inline bool inbox_is_closed_remote(struct inbox *in)
{
    void *closed = INBOX_CLOSED;
    count_rmw();
    return atomic_compare_exchange_strong_explicit(
        &in->chain, &closed, INBOX_CLOSED, memory_order_release,
        memory_order_relaxed);
}

/** From now on pushes succeed. Owner only; it is closed. An exchange, and
 * acquire: see inbox_is_closed_remote. A pusher learns nothing from it, and the
 * owner checks what it takes. */
static inline void inbox_open_owner(struct inbox *in)
{
    count_rmw();
    atomic_exchange_explicit(&in->chain, NULL, memory_order_acquire);
}

#endif
