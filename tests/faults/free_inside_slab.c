/* free_inside_slab.c - a pointer into the middle of a small block is freed. */
#include "fault.h"

static void make_fault(void)
{
    mm->free(wrong(block_in_slab(32) + 16));
}
