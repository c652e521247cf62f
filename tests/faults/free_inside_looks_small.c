/* free_inside_looks_small.c - the middle of a small block is freed, and the
 * data before it looks like the header of a small block in use. */
#include "fault.h"

#include <stdint.h>

static void make_fault(void)
{
    uint64_t *p = memset(mm->malloc(200), 0, 200);
    p[7] = 48; /* in use, of 48 bytes */
    mm->free(wrong(p + 8));
}
