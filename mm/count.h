/* count.h - how often threads meet: counted, not timed (make COUNT=1).
 *
 * Each thread counts its own locked read-modify-writes, and its writes to cache
 * lines that other threads write, too; the sums are taken when threads end or
 * ask. A normal build compiles all of it to nothing. */
#ifndef MM_COUNT_H
#define MM_COUNT_H

#include <stdint.h>

#ifndef MM_COUNT
#define MM_COUNT 0
#endif

/* Of this thread, since it began. */
struct counts {
    uint64_t rmw;    /* atomic read-modify-writes, failed ones too */
    uint64_t shared; /* writes to lines that several threads write */
};

#if MM_COUNT
extern __thread struct counts mm_counts;
#define COUNT(what) (mm_counts.what++)
#else
#define COUNT(what) ((void)0)
#endif

/* A read-modify-write of a shared word, whose line is shared by nature. */
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
