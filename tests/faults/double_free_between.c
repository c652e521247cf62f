/* double_free_between.c - a small block is freed, another one, and the first
 * once more. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(40), *q = mm->malloc(40);
    mm->free(p);
    mm->free(q);
    mm->free(wrong(p));
}
