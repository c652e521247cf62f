/* double_free_between_slab.c - the same with blocks that have no header. */
#include "fault.h"

static void make_fault(void)
{
    char *p = block_in_slab(32), *q = block_in_slab(32);
    mm->free(p);
    mm->free(q);
    mm->free(wrong(p));
}
