/* overlap.c - malloc returns a place in the middle of the block that it gave
 * just before, which is live. */
#include "tests/faulty/base.h"

static _Thread_local char *before;

static void *overlap_malloc(size_t size)
{
    if (size == FAULTY_SIZE && before)
        return before + 32;
    return before = base_malloc(size);
}

FAULTY(faulty_overlap, "overlap", overlap_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
