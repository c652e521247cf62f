/* realloc_inside_slab.c - the middle of a small block is given to realloc. */
#include "fault.h"

static void make_fault(void)
{
    mm->realloc(wrong(block_in_slab(32) + 16), 20);
}
