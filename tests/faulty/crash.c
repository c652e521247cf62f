/* crash.c - malloc follows a wild pointer. */
#include "tests/faulty/base.h"

static void *crashing_malloc(size_t size)
{
    char *volatile wild = (char *)16;
    if (size == FAULTY_SIZE)
        *wild = 1;
    return base_malloc(size);
}

FAULTY(faulty_crash, "crash", crashing_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
