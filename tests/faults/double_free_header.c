/* double_free_header.c - a block with a header is freed twice. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(2000);
    mm->malloc(2000);
    mm->free(p);
    mm->free(wrong(p));
}
