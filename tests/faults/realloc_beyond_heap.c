/* realloc_beyond_heap.c - a pointer is given to realloc that blocks may have,
 * but none has yet. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(2000);
    mm->realloc(wrong(p + ((size_t)1 << 30)), 100);
}
