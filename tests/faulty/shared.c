/* shared.c - malloc returns the same block to every thread that asks, as a
 * cache does that two threads use at once by mistake. */
#include "tests/faulty/base.h"

static void *shared_malloc(size_t size)
{
    static void *shared;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    if (size != FAULTY_SIZE)
        return base_malloc(size);
    pthread_mutex_lock(&lock);
    if (!shared)
        shared = base_malloc(size);
    pthread_mutex_unlock(&lock);
    return shared;
}

FAULTY(faulty_shared, "shared", shared_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
