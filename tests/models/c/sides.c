/* sides.c - memside.h: blocks that two threads take and give back (one takes
 * both, and puts them back in the order in which it took them: ABA); and
 * blocks that wait until all are taken at once. A block's content is a plain
 * word. LATER: the second of the two. */
#include "checked.h"

#include "memside.h"

#define NODES 2

struct node {
    struct side_free side;
    int content, held;
    char rest[32]; /* a unit has 64 bytes */
};

struct mem_range mem_range;
static struct node nodes[NODES];
static _Atomic uint64_t head;
static int worked[3];

#ifdef LATER
struct waiting {
    void *link;
    int content;
};

static struct waiting waiting[3];
static struct {
    struct sides *sides;
} mem;
static struct sides sides;
#include "extracted_later.h"

static void give(int i)
{
    waiting[i].content = 5;
    later_push(&sides, &waiting[i]);
}

static void *one(void *unused)
{
    give(0);
    return unused;
}

static void *two(void *unused)
{
    give(1);
    give(2);
    return unused;
}

static void take_all(void)
{
    for (void *p = mem_later_take(), *next; p; p = next) {
        next = *(void **)p;
        assert(((struct waiting *)p)->content == 5);
        ((struct waiting *)p)->content = 0;
        worked[0]++;
    }
}

static void *three(void *unused)
{
    take_all();
    return unused;
}

int main(void)
{
    body *const bodies[] = {one, two, three};
    mem.sides = &sides;
    mem_range.size = 1;
    run_all(bodies, 3);
    take_all();
    assert(worked[0] == 3);
    return 0;
}
#else
static struct node *get(int thread)
{
    struct node *n = (struct node *)(void *)sides_pop(&head);
    if (!n)
        return n;
    assert(!n->held);
    n->held = 1;
    n->content++;
    worked[thread]++;
    return n;
}

static void put(struct node *n)
{
    if (!n)
        return;
    n->held = 0;
    sides_push(&head, (char *)n);
}

static void *one(void *thread)
{
    put(get((int)(intptr_t)thread));
    return NULL;
}

static void *two(void *thread)
{
    struct node *n = get((int)(intptr_t)thread),
                *m = get((int)(intptr_t)thread);
    put(n);
    put(m);
    return NULL;
}

int main(void)
{
    body *const bodies[] = {one, two};
    int sum = 0, n = 0;
    mem_range.records = (char *)nodes;
    for (int i = 0; i < NODES; i++)
        sides_push(&head, (char *)&nodes[i]);
    run_all(bodies, 2);
    for (struct node *at; n <= NODES && (at = get(2)); n++)
        sum += at->content;
    assert(n == NODES && sum == worked[0] + worked[1] + worked[2]);
    return 0;
}
#endif
