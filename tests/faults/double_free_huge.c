/* double_free_huge.c - a block with a mapping of its own is freed twice; its
 * neighbour in the table comes and goes in between. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc((size_t)9 << 20), *q = mm->malloc((size_t)9 << 20);
    mm->free(p);
    mm->free(q);
    mm->free(wrong(p));
}
