/* realloc_freed_huge.c - a block with a mapping of its own is given to realloc
 * after free. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc((size_t)9 << 20);
    mm->free(p);
    mm->realloc(wrong(p), (size_t)10 << 20);
}
