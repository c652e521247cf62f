/* free_libc.c - a block of another allocator is freed. */
#include "fault.h"

static void make_fault(void)
{
    mm->free(wrong(malloc(100)));
}
