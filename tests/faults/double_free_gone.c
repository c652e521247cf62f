/* double_free_gone.c - a block is freed twice; meanwhile its pages were
 * unmapped, as addresses are limited. */
#include "fault.h"

#include <sys/resource.h>

enum { BLOCKS = 1500, BYTES = 100 << 10 };

/* The limit counts from the start of a program on. */
static void start_limited(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_AS, &limit);
    if (limit.rlim_cur != RLIM_INFINITY)
        return;
    limit.rlim_cur = (rlim_t)1 << 30;
    setrlimit(RLIMIT_AS, &limit);
    execl("/proc/self/exe", "double_free_gone", mm->name, NULL);
}

static void make_fault(void)
{
    static char *blocks[BLOCKS];
    start_limited();
    for (int i = 0; i < BLOCKS; i++)
        blocks[i] = mm->malloc(BYTES);
    for (int i = BLOCKS; i-- > 0;)
        mm->free(blocks[i]);
    mm->free(wrong(blocks[BLOCKS - 200]));
}
