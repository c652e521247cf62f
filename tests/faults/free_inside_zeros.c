/* free_inside_zeros.c - the middle of a block full of zeros is freed. */
#include "fault.h"

static void make_fault(void)
{
    mm->free(wrong((char *)mm->calloc(1, 2000) + 160));
}
