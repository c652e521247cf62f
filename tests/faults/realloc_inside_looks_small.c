/* realloc_inside_looks_small.c - the middle of a small block, where the data
 * look like the header of a small block in use, is given to realloc. */
#include "fault.h"

#include <stdint.h>

static void make_fault(void)
{
    uint64_t *p = memset(mm->malloc(200), 0, 200);
    p[7] = 48;
    mm->realloc(wrong(p + 8), 300);
}
