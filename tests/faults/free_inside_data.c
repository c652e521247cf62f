/* free_inside_data.c - the middle of a block full of data is freed. */
#include "fault.h"

static void make_fault(void)
{
    char *p = memset(mm->malloc(2000), 'A', 2000);
    mm->free(wrong(p + 160));
}
