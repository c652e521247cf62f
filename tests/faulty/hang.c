/* hang.c - malloc waits for what never comes. */
#include "tests/faulty/base.h"

static void *hanging_malloc(size_t size)
{
    static pthread_mutex_t never = PTHREAD_MUTEX_INITIALIZER;
    if (size == FAULTY_SIZE) {
        pthread_mutex_lock(&never);
        pthread_mutex_lock(&never);
    }
    return base_malloc(size);
}

FAULTY(faulty_hang, "hang", hanging_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
