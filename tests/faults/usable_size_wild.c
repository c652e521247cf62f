/* usable_size_wild.c - malloc_usable_size is asked about a variable. */
#include "fault.h"

static void make_fault(void)
{
    char variable[64];
    printf("%zu bytes\n", mm->usable_size(wrong(variable)));
}
