/* free_inside_run.c - a pointer into the middle of a small block is freed. */
#include "fault.h"

static void make_fault(void)
{
    mm->free(wrong(block_in_run(32) + 16));
}
