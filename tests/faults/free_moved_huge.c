/* free_moved_huge.c - a block is freed where it was before realloc moved it. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc((size_t)9 << 20), *q;
    do
        q = mm->realloc(p, mm->usable_size(p) * 2);
    while (q == p);
    mm->free(wrong(p));
}
