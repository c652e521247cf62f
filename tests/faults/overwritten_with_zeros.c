/* overwritten_with_zeros.c - the block before wrote zeros beyond its end. */
#include "fault.h"

static void make_fault(void)
{
    char *before = mm->malloc(2000), *p = mm->malloc(2000);
    memset(before, 0, mm->usable_size(before) + 8);
    mm->free(wrong(p));
}
