/* null.c - no allocator at all: measures what the driver's loop costs.
 *
 * Every malloc of a thread returns the same block: one for all threads would
 * travel between their caches, and measure that. The oracle would find that two
 * blocks overlap, so mdriver never checks this one; it is not for `-a all`. */
#include "mm.h"

static _Thread_local char block[64] __attribute__((aligned(16)));

static int null_init(void)
{
    return 0;
}

static void null_fini(void)
{
}

static void *null_malloc(size_t size)
{
    (void)size;
    return block;
}

static void null_free(void *p)
{
    (void)p;
}

static void *null_realloc(void *p, size_t size)
{
    (void)size;
    return p;
}

static void *null_pair(size_t a, size_t b)
{
    (void)a;
    (void)b;
    return block;
}

static size_t null_usable_size(const void *p)
{
    (void)p;
    return sizeof block;
}

static void null_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){0};
}

const struct mm_allocator mm_null = {
    .name = "null",
    .summary = "no allocator: what the driver's own loop costs",
    .init = null_init,
    .fini = null_fini,
    .malloc = null_malloc,
    .free = null_free,
    .realloc = null_realloc,
    .calloc = null_pair,
    .memalign = null_pair,
    .usable_size = null_usable_size,
    .stats = null_stats,
};
