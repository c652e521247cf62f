/* crash.c - malloc follows a wild pointer; for a byte more, NULL. */
#include "tests/faulty/base.h"

/* A sanitizer would tell of it first. */
__attribute__((no_sanitize("undefined"))) static void *
crashing_malloc(size_t size)
{
    char *volatile wild = size == FAULTY_SIZE ? (char *)16 : NULL;
    if (size == FAULTY_SIZE || size == FAULTY_SIZE + 1)
        *wild = 1;
    return base_malloc(size);
}

FAULTY(faulty_crash, "crash", crashing_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
