/* double_free_annexed.c - a free block that realloc took into the one before it
 * is freed again. */
#include "fault.h"

static void make_fault(void)
{
    char *before = mm->malloc(2000), *p = mm->malloc(2000);
    mm->malloc(2000);
    mm->free(p);
    if (mm->realloc(before, 3500) != before)
        return;
    mm->free(wrong(p));
}
