/* realloc_freed_slab.c - a small block is given to realloc after free. */
#include "fault.h"

static void make_fault(void)
{
    char *p = block_in_slab(32);
    mm->free(p);
    mm->realloc(wrong(p), 20);
}
