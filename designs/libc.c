/* libc.c - the C library's malloc behind the lab's interface.
 *
 * The reference of every comparison. Its heap size is what mallinfo2 says it
 * got from the system: sbrk'ed arenas plus mapped blocks, in bytes, so that
 * its utilization stands in the same units as ours. mallinfo2 walks the free
 * lists of every arena; stats is therefore slow (microseconds) and the driver
 * samples it (see docs/design.md, "Utilization"). */
#include "mm.h"

#include <malloc.h>
#include <stdlib.h>

static int libc_init(void)
{
    malloc_trim(0);
    return 0;
}

static void libc_fini(void)
{
    malloc_trim(0);
}

static size_t libc_usable_size(const void *p)
{
    return malloc_usable_size((void *)p);
}

static void libc_stats(struct mm_stats *out)
{
    struct mallinfo2 mi = mallinfo2();
    out->heap = mi.arena + mi.hblkhd;
    out->heap_peak = 0; /* not known: the driver takes the highest sample */
    out->metadata = 0;
}

const struct mm_allocator mm_libc = {
    .name = "libc",
    .summary = "the C library's malloc (glibc: ptmalloc with tcache)",
    .init = libc_init,
    .fini = libc_fini,
    .malloc = malloc,
    .free = free,
    .realloc = realloc,
    .calloc = calloc,
    .memalign = memalign,
    .usable_size = libc_usable_size,
    .stats = libc_stats,
};
