/* double_free_annexed.c - a free block that realloc took into the one before it
 * is freed again. */
#include "fault.h"

static void make_fault(void)
{
    size_t size = (size_t)2 << 20; /* what no bin keeps */
    char *before = mm->malloc(size), *p = mm->malloc(size);
    mm->malloc(size);
    mm->free(p);
    if (mm->realloc(before, size + size / 2) != before)
        return;
    mm->free(wrong(p));
}
