/* thread.h - what a thread keeps as long as it lives, whatever its shard. The
 * lock-free stage may give it several, one of them in use: see its thread.h. */
#ifndef MM_FRONT_THREAD_H
#define MM_FRONT_THREAD_H

#include "config.h"
#include "mm/front/cache.h"
#include "mm/front/outbox.h"

#include <sys/syscall.h>
#include <unistd.h>

struct shard;

/* Its thread's alone, but for open, which thieves read. */
struct thread {
    size_t open;     /* OPEN; 0: its thread is inside, or it is free */
    uint32_t tag;    /* of shard's pages, without the bytes */
    uint32_t asides; /* calls that found it shut since it was last entered */
    struct thread
        *next; /* lockfree: the ring of its thread; arena: free ones */
    struct cache cache;
    struct outbox outbox;
    struct shard *shard;
    struct thread *older; /* arena: the one that was made before */
    int tid; /* the system's id of the thread that uses it, or did */
} __attribute__((aligned(CACHE_LINE)));

/* For those who look at t from outside. errno is kept. */
static inline void thread_note_id(struct thread *t)
{
    int saved = errno;
    t->tid = (int)syscall(SYS_gettid);
    errno = saved;
}

#endif
