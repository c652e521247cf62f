/* free_inside_small.c - the middle of a small block full of data is freed. */
#include "fault.h"

static void make_fault(void)
{
    char *p = memset(mm->malloc(200), 'A', 200);
    mm->free(wrong(p + 64));
}
