/* double_free_much_later.c - a small block is freed twice, with many frees of
 * the same and other sizes between. */
#include "fault.h"

static void make_fault(void)
{
    char *p = mm->malloc(100), *others[8];
    for (size_t i = 0; i < 8; i++)
        others[i] = mm->malloc(100 + i * 16);
    mm->free(p);
    for (size_t i = 0; i < 8; i++)
        mm->free(others[i]);
    mm->free(wrong(p));
}
