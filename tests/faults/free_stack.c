/* free_stack.c - a variable is freed. */
#include "fault.h"

static void make_fault(void)
{
    char variable[64];
    mm->free(wrong(variable));
}
