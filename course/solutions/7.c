/* 7.c - lesson 7 solved: pushes by compare-and-swap, take-all, a tag. */
#include "course/lessons/inbox.h"

/* No ABA: head is never read through, and if it has gone and come back it is
 * still what n must lead to. */
void inbox_push(struct inbox *in, struct node *n)
{
    struct node *head = atomic_load_explicit(&in->head, memory_order_relaxed);
    do {
        n->next = head; /* nobody else knows n yet */
        STEP();
    } while (!atomic_compare_exchange_weak_explicit(
        &in->head, &head, n,
        memory_order_release,   /* pairs with the acquire in inbox_take: the
                                   owner sees n->next and what n holds */
        memory_order_relaxed)); /* head is only a value, to be tried again */
}

struct node *inbox_take(struct inbox *in)
{
    STEP();
    return atomic_exchange_explicit(
        &in->head, NULL, memory_order_acquire); /* with inbox_push's release */
}

/* A tag that rises with each change: the same head never comes back (within
 * 2^32 changes during one STEP). */
static uint64_t with_tag(uint64_t old, uint32_t n)
{
    return ((old >> 32) + 1) << 32 | n;
}

void stack_push(struct stack *s, uint32_t n)
{
    uint64_t head = atomic_load_explicit(&s->head, memory_order_relaxed);
    do {
        atomic_store_explicit(&s->next[n], (uint32_t)head,
                              memory_order_relaxed); /* published below */
        STEP();
    } while (!atomic_compare_exchange_weak_explicit(
        &s->head, &head, with_tag(head, n),
        memory_order_release,   /* pairs with stack_pop's acquires */
        memory_order_relaxed)); /* read again as a value only */
}

uint32_t stack_pop(struct stack *s)
{
    uint64_t head = atomic_load_explicit(
        &s->head, memory_order_acquire); /* with stack_push's release */
    for (;;) {
        uint32_t n = (uint32_t)head;
        if (n == NO_SLOT)
            return NO_SLOT;
        /* It may be somebody's slot by now, and next anything: then the tag
         * has changed and what was read is thrown away. */
        uint32_t below =
            atomic_load_explicit(&s->next[n], memory_order_relaxed);
        STEP();
        if (atomic_compare_exchange_weak_explicit(
                &s->head, &head, with_tag(head, below),
                memory_order_acquire,  /* the slot's last user is done */
                memory_order_acquire)) /* the next round reads through head */
            return n;
    }
}
