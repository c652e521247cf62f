/* single.c - no fault: an allocator that is for one thread only and says so. */
#include "tests/faulty/base.h"

const struct mm_allocator faulty_single = {
    .name = "single",
    .summary = "correct, for one thread only",
    .single_threaded = true,
    .init = base_init,
    .fini = mem_fini,
    .malloc = base_malloc,
    .free = base_free,
    .realloc = base_realloc,
    .calloc = base_calloc,
    .memalign = base_memalign,
    .usable_size = base_usable_size,
    .contains = mem_contains,
    .stats = base_stats,
};
