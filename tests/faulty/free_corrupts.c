/* free_corrupts.c - free clears a word of the block behind, as one does that
 * takes a freed block for larger than it is. */
#include "tests/faulty/base.h"

static void corrupting_free(void *p)
{
    if (p && base_head(p)->size == FAULTY_SIZE) {
        char *behind = (char *)p + base_usable_size(p) + sizeof(struct head);
        memset(behind + 8, 0, 8);
    }
    base_free(p);
}

FAULTY(faulty_free_corrupts, "free-corrupts", base_malloc, corrupting_free,
       base_realloc, base_calloc, base_memalign, base_usable_size, NULL);
