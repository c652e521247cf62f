/* 7.c - lesson 7 starts here: an inbox and a stack that work for one thread. */
#include "course/lessons/inbox.h"

/* To do: another thread may have pushed at STEP. */
void inbox_push(struct inbox *in, struct node *n)
{
    struct node *head = atomic_load(&in->head);
    n->next = head;
    STEP();
    atomic_store(&in->head, n);
}

/* To do: what comes at STEP must not be lost. */
struct node *inbox_take(struct inbox *in)
{
    struct node *all = atomic_load(&in->head);
    STEP();
    atomic_store(&in->head, NULL);
    return all;
}

void stack_push(struct stack *s, uint32_t n)
{
    uint64_t head = atomic_load(&s->head);
    do {
        atomic_store(&s->next[n], (uint32_t)head);
        STEP();
    } while (!atomic_compare_exchange_weak(&s->head, &head, n));
}

/* To do: at STEP the top slot may be popped, and the one below it, and then the
 * first pushed again. The head is what it was, its next slot is not. */
uint32_t stack_pop(struct stack *s)
{
    uint64_t head = atomic_load(&s->head), below;
    do {
        if ((uint32_t)head == NO_SLOT)
            return NO_SLOT;
        below = atomic_load(&s->next[(uint32_t)head]);
        STEP();
    } while (!atomic_compare_exchange_weak(&s->head, &head, below));
    return (uint32_t)head;
}
