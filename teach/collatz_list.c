/* collatz_list.c - Collatz over linked lists: a small block for each step.
 *
 *   chain ─► 6 ─► 3 ─► 10 ─► 5 ─► 16 ─► 8 ─► 4 ─► 2 ─► 1 */
#include "teach/collatz.h"

struct chain {
    uint64_t number;
    struct chain *next;
};

static struct chain *chain_new(uint64_t n)
{
    struct chain *first = NULL, **tail = &first;
    for (;; n = next_number(n)) {
        *tail = allocated(malloc(sizeof **tail));
        **tail = (struct chain){n, NULL};
        if (n == 1)
            return first;
        tail = &(*tail)->next;
    }
}

static void chain_free(struct chain *c)
{
    while (c) {
        struct chain *next = c->next;
        free(c);
        c = next;
    }
}

static size_t chain_steps(const struct chain *c)
{
    size_t steps = 0;
    while ((c = c->next))
        steps++;
    return steps;
}
