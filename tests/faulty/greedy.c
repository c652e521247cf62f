/* greedy.c - it never uses a block again, or takes seconds for each. */
#include "tests/faulty/base.h"

#include <time.h>

static void *filling_malloc(size_t size)
{
    void *p = base_malloc(size);
    return p ? memset(p, 1, base_usable_size(p)) : NULL;
}

static void keeping_free(void *p)
{
    (void)p;
}

FAULTY(faulty_keeps, "keeps", filling_malloc, keeping_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);

/* Busy for so long that a pass takes for ever, but gets on. */
static void *slow_malloc(size_t size)
{
    struct timespec from, now;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
    do
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    while (size == FAULTY_SIZE &&
           now.tv_sec * 1000 + now.tv_nsec / 1000000 <
               from.tv_sec * 1000 + from.tv_nsec / 1000000 + 200);
    return base_malloc(size);
}

FAULTY(faulty_slow, "slow", slow_malloc, base_free, base_realloc, base_calloc,
       base_memalign, base_usable_size, NULL);

/* Wrong with two threads only: both get the same block. */
static void *racing_malloc(size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static void *last;
    static pthread_t whose;
    pthread_mutex_lock(&lock);
    bool other = last && !pthread_equal(whose, pthread_self());
    void *p = other && size == FAULTY_SIZE ? last : base_malloc(size);
    if (size == FAULTY_SIZE) {
        last = p;
        whose = pthread_self();
    }
    pthread_mutex_unlock(&lock);
    return p;
}

FAULTY(faulty_races, "races", racing_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
