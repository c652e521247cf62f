/* inbox.c - front/inbox.h: one thread pushes a block, and again one that the
 * owner took out and passed on, so that it may meet the same head (ABA); one
 * pushes a chain of two; the owner takes and closes. REOPENED: and opens. */
#include "checked.h"

#include "mm/front/inbox.h"

struct block {
    void *link;
    int data; /* written by who pushes, read by who takes */
    int got;
};

static struct block block[3];
static struct inbox inbox;
static int before_close; /* plain: who finds it closed sees it */
static _Atomic(void *) passed_on;

static void fill(struct block *b)
{
    b->data = 5;
    b->got = 0;
}

static void get(struct block *b)
{
    assert(!b->got && b->data == 5);
    b->got = 1;
    b->data = 0;
}

static void get_chain(void *p, bool pass_on)
{
    for (void *next; p; p = next) {
        next = *(void **)p;
        get(p);
        if (pass_on)
            atomic_store_explicit(&passed_on, p, memory_order_release);
        pass_on = false;
    }
}

/* Keep what can be given to no owner any more. */
static void push(struct block *first, struct block *last)
{
    if (inbox_push_remote(&inbox, first, last))
        return;
    assert(before_close == 7);
    get(first);
    if (last != first)
        get(last);
}

static void *push_one(void *unused)
{
    fill(&block[0]);
    push(&block[0], &block[0]);
    struct block *again =
        atomic_exchange_explicit(&passed_on, NULL, memory_order_acquire);
    if (again) {
        fill(again);
        push(again, again);
    }
    return unused;
}

static void *push_two(void *unused)
{
    fill(&block[1]);
    fill(&block[2]);
    block[1].link = &block[2];
    push(&block[1], &block[2]);
    return unused;
}

static void *owner(void *unused)
{
    get_chain(inbox_take_owner(&inbox), true);
    before_close = 7;
    get_chain(inbox_close_owner(&inbox), false);
#ifdef REOPENED
    inbox_open_owner(&inbox);
    get_chain(inbox_take_owner(&inbox), false);
#endif
    return unused;
}

int main(void)
{
    body *const bodies[] = {owner, push_one, push_two};
    run_all(bodies, 3);
#ifdef REOPENED
    get_chain(inbox_take_owner(&inbox), false);
#endif
    for (int i = 0; i < 3; i++)
        assert(block[i].got == 1);
    return 0;
}
