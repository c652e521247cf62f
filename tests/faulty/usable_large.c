/* usable_large.c - usable_size reaches into the block behind. */
#include "tests/faulty/base.h"

static size_t large_usable_size(const void *p)
{
    size_t more = base_head(p)->size == FAULTY_SIZE ? 64 : 0;
    return base_usable_size(p) + more;
}

FAULTY(faulty_usable_large, "usable-large", base_malloc, base_free,
       base_realloc, base_calloc, base_memalign, large_usable_size, NULL);
