/* dirty_calloc.c - calloc leaves what the block held before. */
#include "tests/faulty/base.h"

static void *dirty_calloc(size_t n, size_t size)
{
    if (n * size == FAULTY_SIZE)
        return base_malloc(n * size);
    return base_calloc(n, size);
}

FAULTY(faulty_dirty_calloc, "dirty-calloc", base_malloc, base_free,
       base_realloc, dirty_calloc, base_memalign, base_usable_size, NULL);
