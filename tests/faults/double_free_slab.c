/* double_free_slab.c - a small block is freed twice. */
#include "fault.h"

static void make_fault(void)
{
    char *p = block_in_slab(32);
    mm->free(p);
    mm->free(wrong(p));
}
