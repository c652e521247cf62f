/* realloc_loses.c - a realloc that moves copies 8 bytes too few. */
#include "tests/faulty/base.h"

static void *losing_realloc(void *p, size_t size)
{
    if (size != FAULTY_SIZE || !p)
        return base_realloc(p, size);
    void *q = base_malloc(size);
    size_t old = base_head(p)->size;
    memcpy(q, p, (old < size ? old : size) - 8);
    base_free(p);
    return q;
}

FAULTY(faulty_realloc_loses, "realloc-loses", base_malloc, base_free,
       losing_realloc, base_calloc, base_memalign, base_usable_size, NULL);
