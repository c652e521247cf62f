/* realloc_wild.c - a variable is given to realloc. */
#include "fault.h"

static void make_fault(void)
{
    char variable[64];
    mm->realloc(wrong(variable), 100);
}
