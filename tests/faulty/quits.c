/* quits.c - malloc ends the program, and even says that all is well. */
#include "tests/faulty/base.h"

#include <unistd.h>

static void *quitting_malloc(size_t size)
{
    if (size == FAULTY_SIZE)
        _exit(0);
    return base_malloc(size);
}

FAULTY(faulty_quits, "quits", quitting_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
