/* realloc_freed_small.c - a small block is given to realloc after free, and
 * another free. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(40), *q = mm->malloc(40);
    mm->free(p);
    mm->free(q);
    mm->realloc(wrong(p), 300);
}
