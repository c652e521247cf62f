/* memalign.c - memalign aligns as malloc does, and no more. */
#include "tests/faulty/base.h"

static void *plain_memalign(size_t align, size_t size)
{
    if (size != FAULTY_SIZE)
        return base_memalign(align, size);
    char *p = base_memalign(align, size + align);
    return p + 16; /* else it might be right by chance */
}

FAULTY(faulty_memalign, "memalign", base_malloc, base_free, base_realloc,
       base_calloc, plain_memalign, base_usable_size, NULL);
