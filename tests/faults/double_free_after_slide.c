/* double_free_after_slide.c - realloc moved a block down; its old place is
 * freed. */
#include "fault.h"

static void make_fault(void)
{
    char *before = mm->malloc(3000), *p = mm->malloc(2000);
    mm->malloc(2000);
    memset(p, 'x', 2000);
    mm->free(before);
    if (mm->realloc(p, 4500) == p)
        return;
    mm->free(wrong(p));
}
