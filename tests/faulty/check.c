/* check.c - its own check finds an invariant broken once a block of that size
 * was made. */
#include "tests/faulty/base.h"

static _Atomic size_t broken;

static void *breaking_malloc(size_t size)
{
    if (size == FAULTY_SIZE)
        broken = 1;
    return base_malloc(size);
}

static size_t breaking_check(void)
{
    return broken;
}

FAULTY(faulty_check, "check", breaking_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, breaking_check);
