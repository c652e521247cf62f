/* double_free_merged.c - a block is freed twice that is by then the middle of a
 * larger free block. */
#include "fault.h"

static void make_fault(void)
{
    char *before = mm->malloc(2000), *p = mm->malloc(2000);
    mm->malloc(2000);
    memset(p, 'x', 2000);
    mm->free(before);
    mm->free(p);
    mm->free(wrong(p));
}
