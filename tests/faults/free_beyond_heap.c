/* free_beyond_heap.c - a pointer is freed that blocks may have, but none
 * has yet. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(2000);
    mm->free(wrong(p + ((size_t)1 << 30)));
}
