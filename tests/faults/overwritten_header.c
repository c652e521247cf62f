/* overwritten_header.c - the block before wrote 16 bytes beyond its end. */
#include "fault.h"

static void make_fault(void)
{
    char *before = mm->malloc(2000), *p = mm->malloc(2000);
    memset(before, 'A', mm->usable_size(before) + 8);
    mm->free(wrong(p));
}
