/* realloc_freed_header.c - a block with a header is given to realloc after
 * free. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(2000);
    mm->malloc(2000);
    mm->free(p);
    mm->realloc(wrong(p), 100);
}
