/* writer.h - takes events from any thread and puts them in the process's log.
 *
 * Nothing here allocates, waits for another thread, or is a cancellation
 * point; errno is kept. */
#ifndef RECORD_WRITER_H
#define RECORD_WRITER_H

#include "record/log.h"

#pragma GCC visibility push(hidden) /* none of the program's business */

/* A thread number and the chunk that its holder fills. */
struct writer_slot {
    struct event *next, *end; /* end == next: take a new chunk first */
    _Atomic int used;
};

extern __thread struct writer_slot *writer_mine; /* NULL: none yet */
extern _Atomic uint64_t writer_seq;              /* the last one taken */

/** Start this process's log if that can be done by now. Called by every
 * first use; a call of one's own only makes a log where nothing allocates. */
void writer_start(void);
/** Space for one more event of this thread, when writer_mine has none.
 * @return NULL: nothing is being recorded. */
struct event *writer_space(void);
/** A thread that is past its destructor gives its slot back at once. */
void writer_done(void);

/** Write one event, stamped now. */
static inline void writer_put(enum event_kind kind, const void *addr,
                              size_t size, unsigned align, size_t elem)
{
    struct writer_slot *s = writer_mine;
    struct event *e = s && s->next != s->end ? s->next++ : writer_space();
    if (!e)
        return;
    e->addr = (uintptr_t)addr;
    e->size = size;
    e->kind = (uint8_t)kind;
    e->align = (uint8_t)align;
    e->elem = elem <= UINT32_MAX ? (uint32_t)elem : 0;
    /* Relaxed suffices for L4: whoever passes an address on synchronizes, and
     * read-modify-writes of one word obey happens-before. */
    uint64_t seq =
        atomic_fetch_add_explicit(&writer_seq, 1, memory_order_relaxed) + 1;
    /* A kill between the two leaves a hole, never half an event (L2). */
    atomic_store_explicit(&e->seq, seq, memory_order_release);
    if (__builtin_expect(!writer_mine, 0))
        writer_done();
}

#pragma GCC visibility pop

#endif
