/* inbox.h - blocks on their way back to the thread that made them, by CAS.
 *
 *   head ──► block ──► block ──► block ──► NULL        linked through their
 *    ▲ any thread pushes one      │                    own first 8 bytes
 *    └── the owner takes all ◄────┘
 *
 * Invariants
 *   I1 a block is in at most one inbox, and only while nobody uses it
 *   I2 its link is written before the CAS that publishes it, and not after
 *
 * No thread waits for another: a CAS fails only because another push or take
 * succeeded. No ABA: a pusher never looks behind the head, and the taker leaves
 * nothing behind. It is Treiber's stack (1986) without its pop. */
#ifndef DESIGNS_INBOX_H
#define DESIGNS_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* A block that nobody uses, seen from a list that it is in. */
struct freed {
    struct freed *next;
};

struct inbox {
    _Atomic(struct freed *) head;
};

/** Return p to the inbox's owner. Any thread. */
static inline void inbox_push_any(struct inbox *in, void *p)
{
    struct freed *f = p;
    struct freed *head = atomic_load_explicit(&in->head, memory_order_relaxed);
    do {
        f->next = head; /* private until the CAS succeeds */
    } while (!atomic_compare_exchange_weak_explicit(
        &in->head, &head, f,
        memory_order_release,   /* pairs with the acquire in inbox_take_owner:
                                   it sees f->next and the program's last use */
        memory_order_relaxed)); /* head is only a value */
}

/** Take the whole chain. The owner only. */
static inline struct freed *inbox_take_owner(struct inbox *in)
{
    return atomic_exchange_explicit(
        &in->head, NULL,
        memory_order_acquire); /* pairs with the release in inbox_push_any;
                                  earlier pushes are seen as well, because the
                                  CASes between them continue the release */
}

/** Is there anything to take? A hint: no memory is read on its word. */
static inline bool inbox_has_some(const struct inbox *in)
{
    return atomic_load_explicit(&in->head, memory_order_relaxed) != NULL;
}

#endif
