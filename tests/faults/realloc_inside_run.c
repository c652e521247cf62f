/* realloc_inside_run.c - the middle of a small block is given to realloc. */
#include "fault.h"

static void make_fault(void)
{
    mm->realloc(wrong(block_in_run(32) + 16), 20);
}
