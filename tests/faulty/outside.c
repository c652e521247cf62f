/* outside.c - malloc returns memory that is not the heap's. */
#include "tests/faulty/base.h"

static char elsewhere[1024] __attribute__((aligned(16)));

static void *outside_malloc(size_t size)
{
    return size == FAULTY_SIZE ? elsewhere : base_malloc(size);
}

FAULTY(faulty_outside, "outside", outside_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
