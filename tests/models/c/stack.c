/* stack.c - lockfree/stack.h: two threads pop and push, two nodes. One takes a
 * node and puts it back; the other takes both and puts them back in the order
 * in which it took them, so that the first may meet its old head (ABA).
 * THREE: one more of the first kind. A node's content is a plain word. */
#include "checked.h"

#include "mm/lockfree/stack.h"

#define NODES 2

static struct tagged stack;
static _Atomic uint32_t below[NODES];
static int content[NODES], held[NODES], worked[3];

static _Atomic uint32_t *link_of(uint32_t i)
{
    return &below[i];
}

static uint32_t get(int thread)
{
    uint32_t i = tagged_pop(&stack, link_of);
    if (i == TAGGED_NONE)
        return i;
    assert(i < NODES && !held[i]);
    held[i] = 1;
    content[i]++;
    worked[thread]++;
    return i;
}

static void put(uint32_t i)
{
    if (i == TAGGED_NONE)
        return;
    held[i] = 0;
    tagged_push(&stack, &below[i], i);
}

static void *one(void *thread)
{
    put(get((int)(intptr_t)thread));
    return NULL;
}

static void *two(void *thread)
{
    uint32_t i = get((int)(intptr_t)thread), j = get((int)(intptr_t)thread);
    put(i);
    put(j);
    return NULL;
}

int main(void)
{
    body *const bodies[] = {one, two, one};
    int n = 0, sum = 0;
    for (uint32_t i = 0; i < NODES; i++)
        tagged_push(&stack, &below[i], i);
#ifdef THREE
    run_all(bodies, 3);
#else
    run_all(bodies, 2);
#endif
    for (int k = 0; k <= NODES; k++) {
        uint32_t i = tagged_pop(&stack, link_of);
        if (i == TAGGED_NONE)
            break;
        assert(!held[i]);
        held[i] = 1;
        n++;
        sum += content[i];
    }
    assert(n == NODES && sum == worked[0] + worked[1] + worked[2]);
    return 0;
}
