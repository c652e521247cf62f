/* free_unaligned.c - a pointer is freed that is not a multiple of 16. */
#include "fault.h"

static void make_fault(void)
{
    mm->free(wrong((char *)mm->malloc(2000) + 8));
}
