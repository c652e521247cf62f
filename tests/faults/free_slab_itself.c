/* free_slab_itself.c - a pointer before the first small block of a page is
 * freed. */
#include "fault.h"

static void make_fault(void)
{
    char *p = block_in_slab(32);
    mm->free(wrong(p - (size_t)p % 4096 + 16));
}
