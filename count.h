/* count.h - how often threads meet: counted, not timed (make COUNT=1).
 *
 * Each thread counts its own locked read-modify-writes, and its writes to cache
 * lines that other threads write, too. mdriver --count asks each thread before
 * and after its work, so that counting adds nothing that would itself be
 * counted. A normal build compiles all of it to nothing. */
#ifndef COUNT_H
#define COUNT_H

#include "mm.h"

#ifndef MM_COUNT
#define MM_COUNT 0
#endif

#if MM_COUNT
extern __thread struct mm_counts thread_counts; /* since the thread began */
#define COUNT(what) (thread_counts.what++)
#define COUNTS count_get
static inline void count_get(struct mm_counts *out)
{
    *out = thread_counts;
}
#else
#define COUNT(what) ((void)0)
#define COUNTS NULL
#endif

/* A read-modify-write of a shared word, whose line is shared by nature; one
 * that fails as well. */
static inline void count_rmw(void)
{
    COUNT(rmw);
    COUNT(shared);
}

/* A plain store to a line that other threads write as well. */
static inline void count_shared(void)
{
    COUNT(shared);
}

#endif
