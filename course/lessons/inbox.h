/* inbox.h - lesson 7: what its file defines, and what its check calls.
 *
 *   inbox:  head ─► node ─► node ─► NULL     any thread pushes, one takes all
 *   stack:  head = tag | number ─► slot      any thread pushes and pops
 *
 * STEP stands between the read of a shared word and the write that relies on
 * it: there the check lets other threads do their work, which so comes at the
 * worst moment each time, not once in a million. */
#ifndef COURSE_LESSONS_INBOX_H
#define COURSE_LESSONS_INBOX_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

extern void (*lesson_step)(void);
#define STEP() (lesson_step ? lesson_step() : (void)0)

struct node {
    struct node *next;
};

struct inbox {
    _Atomic(struct node *) head; /* NULL: empty */
};

/** Send one node. Any thread. */
void inbox_push(struct inbox *in, struct node *n);
/** Take all that was sent, as a list; NULL: nothing. Only the owner. */
struct node *inbox_take(struct inbox *in);

#define NO_SLOT 0

/* Slots are known by their number, from 1 on, so that a number and a tag fit
 * into a word that one compare-and-swap changes. */
struct stack {
    _Atomic uint64_t head;  /* low half: the top slot's number, or NO_SLOT */
    _Atomic uint32_t *next; /* of each slot: the number of the one below */
};

/** Put slot n on top. Any thread. @pre n is on no stack */
void stack_push(struct stack *s, uint32_t n);
/** Take the top slot; NO_SLOT: there is none. Any thread. */
uint32_t stack_pop(struct stack *s);

#endif
