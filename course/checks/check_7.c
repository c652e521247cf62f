/* check_7.c - is lesson 7 solved: an inbox, and a stack without ABA? */
#include "course/checks/check.h"
#include "course/lessons/inbox.h"

#include <pthread.h>

#define THREADS 4
#define SENT 50000
#define SLOTS 64

void (*lesson_step)(void);

static struct inbox inbox;
static struct node nodes[4];

/* ---- one thread at the other's STEP ---------------------------------- */

static void push_another(void)
{
    lesson_step = NULL;
    inbox_push(&inbox, &nodes[1]);
}

static unsigned taken(void)
{
    unsigned which = 0;
    int most = 10;
    for (struct node *n = inbox_take(&inbox); n; n = n->next) {
        which |= 1u << (n - nodes);
        EXPECT(most--, "the list that inbox_take returns has no end");
    }
    return which;
}

static void a_push_beside_a_push(void)
{
    inbox_push(&inbox, &nodes[2]);
    lesson_step = push_another;
    inbox_push(&inbox, &nodes[0]);
    EXPECT(!lesson_step, "inbox_push never comes to STEP");
    unsigned got = taken();
    EXPECT(got == 7,
           "node 1 was pushed during the push of node 0: of nodes "
           "0, 1, 2 there are%s%s%s",
           got & 1 ? " 0" : "", got & 2 ? " 1" : "", got & 4 ? " 2" : "");
    EXPECT(taken() == 0, "nodes were taken twice");
}

static void a_push_beside_a_take(void)
{
    inbox_push(&inbox, &nodes[0]);
    lesson_step = push_another;
    unsigned got = taken();
    EXPECT(!lesson_step, "inbox_take never comes to STEP");
    got |= taken();
    EXPECT(got == 3, "node 1 was pushed during a take, and is lost");
}

static _Atomic uint32_t below[SLOTS + 1];
static struct stack stack = {.next = below};

static void away_and_back(void)
{
    lesson_step = NULL;
    uint32_t a = stack_pop(&stack), b = stack_pop(&stack);
    EXPECT(a == 1 && b == 2, "slots 3, 2, 1 were pushed, and %u, %u popped", a,
           b);
    stack_push(&stack, a);
}

static void a_slot_that_comes_back(void)
{
    for (uint32_t n = 3; n; n--)
        stack_push(&stack, n);
    lesson_step = away_and_back;
    uint32_t first = stack_pop(&stack), second = stack_pop(&stack);
    EXPECT(!lesson_step, "stack_pop never comes to STEP");
    EXPECT(first == 1, "slot 1 is on top, and slot %u is popped", first);
    EXPECT(second != 2, "slot 2 is popped a second time, while its taker still "
                        "uses it: at STEP slots 1 and 2 were popped, and 1 "
                        "was pushed again (ABA)");
    EXPECT(second == 3 && stack_pop(&stack) == NO_SLOT,
           "slot 3 was expected, then nothing");
}

static void a_push_that_waits(void)
{
    stack_push(&stack, 3);
    stack_push(&stack, 2);
    stack_push(&stack, 1);
    lesson_step = away_and_back;
    stack_push(&stack, 4);
    uint32_t a = stack_pop(&stack), b = stack_pop(&stack),
             c = stack_pop(&stack), d = stack_pop(&stack);
    EXPECT(!lesson_step, "stack_push never comes to STEP");
    EXPECT(a == 4 && b == 1 && c == 3 && d == NO_SLOT,
           "slots 4, 1, 3 were expected, found %u, %u, %u, %u", a, b, c, d);
}

/* ---- all at once ----------------------------------------------------- */

struct letter {
    struct node node;
    size_t sum;
};

static struct letter letters[THREADS][SENT];
static atomic_int senders; /* that have not yet sent all */

static void *send(void *arg)
{
    struct letter *mine = letters[(size_t)arg];
    for (size_t i = 0; i < SENT; i++) {
        mine[i].sum = i + (size_t)arg;
        inbox_push(&inbox, &mine[i].node);
    }
    senders--;
    return NULL;
}

/* Take what has come. @return how many letters; *sum: of their sums, too */
static size_t receive(size_t *sum)
{
    size_t n = 0;
    for (struct node *p = inbox_take(&inbox); p; p = p->next) {
        *sum += ((struct letter *)p)->sum;
        n++;
    }
    return n;
}

static void every_letter_comes_once(void)
{
    pthread_t threads[THREADS];
    size_t n = 0, sum = 0, expected = 0;
    senders = THREADS;
    for (size_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, send, (void *)i) == 0,
               "no thread can be made");
    while (senders)
        n += receive(&sum);
    n += receive(&sum);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        expected += SENT * i + (size_t)SENT * (SENT - 1) / 2;
    }
    EXPECT(n == (size_t)THREADS * SENT, "%d letters were sent, and %zu came",
           THREADS * SENT, n);
    EXPECT(sum == expected, "other letters came than were sent");
    EXPECT(!taken(), "the inbox is not empty after all were taken");
}

static atomic_int used[SLOTS + 1];
static size_t uses[SLOTS + 1]; /* only by who has the slot */

static void *pop_and_push(void *arg)
{
    (void)arg;
    for (int i = 0; i < SENT; i++) {
        uint32_t n = stack_pop(&stack);
        if (n == NO_SLOT)
            continue;
        EXPECT(!atomic_exchange_explicit(&used[n], 1, memory_order_relaxed),
               "slot %u is popped by two threads", n);
        uses[n]++;
        atomic_store_explicit(&used[n], 0, memory_order_relaxed);
        stack_push(&stack, n);
    }
    return NULL;
}

static void no_slot_has_two_users(void)
{
    pthread_t threads[THREADS];
    for (uint32_t n = 1; n <= SLOTS; n++)
        stack_push(&stack, n);
    for (size_t i = 0; i < THREADS; i++)
        EXPECT(pthread_create(&threads[i], NULL, pop_and_push, NULL) == 0,
               "no thread can be made");
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    uint32_t n = 0;
    while (stack_pop(&stack) != NO_SLOT)
        n++;
    EXPECT(n == SLOTS, "of %d slots, %u are left", SLOTS, n);
}

int main(void)
{
    const struct check checks[] = {
        {"a push beside a push loses nothing", a_push_beside_a_push},
        {"a push beside a take loses nothing", a_push_beside_a_take},
        {"a slot that goes and comes back (ABA)", a_slot_that_comes_back},
        {"a push that is overtaken", a_push_that_waits},
        {"every letter comes once", every_letter_comes_once},
        {"no slot has two users", no_slot_has_two_users},
    };
    return check_all(checks, COUNT(checks));
}
