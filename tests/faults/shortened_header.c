/* shortened_header.c - a header is overwritten with a size that is too small.
 */
#include "fault.h"

static void make_fault(void)
{
    char *p = memset(mm->malloc(2000), 0, 2000);
    p[-8] = 0x23;
    p[-7] = 0;
    mm->free(wrong(p));
}
