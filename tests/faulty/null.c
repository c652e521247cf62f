/* null.c - malloc returns NULL though there is memory. */
#include "tests/faulty/base.h"

static void *null_malloc(size_t size)
{
    return size == FAULTY_SIZE ? NULL : base_malloc(size);
}

FAULTY(faulty_null, "null", null_malloc, base_free, base_realloc, base_calloc,
       base_memalign, base_usable_size, NULL);
