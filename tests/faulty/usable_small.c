/* usable_small.c - usable_size is less than was asked for. */
#include "tests/faulty/base.h"

static size_t small_usable_size(const void *p)
{
    return base_head(p)->size == FAULTY_SIZE ? FAULTY_SIZE - 1
                                             : base_usable_size(p);
}

FAULTY(faulty_usable_small, "usable-small", base_malloc, base_free,
       base_realloc, base_calloc, base_memalign, small_usable_size, NULL);
