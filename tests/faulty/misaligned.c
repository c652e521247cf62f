/* misaligned.c - malloc returns a block that is 8 bytes off. */
#include "tests/faulty/base.h"

static void *misaligned_malloc(size_t size)
{
    if (size != FAULTY_SIZE)
        return base_malloc(size);
    return (char *)base_malloc(size + 8) + 8;
}

FAULTY(faulty_misaligned, "misaligned", misaligned_malloc, base_free,
       base_realloc, base_calloc, base_memalign, base_usable_size, NULL);
