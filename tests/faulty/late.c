/* late.c - faults that no checked pass sees: they strike when a process asks
 * for FAULTY_SIZE bytes for the third time, which is in the timed pass. */
#include "tests/faulty/base.h"

#include <stdatomic.h>
#include <stdlib.h>

#define LATE 3

static bool strikes(size_t size)
{
    static _Atomic int count;
    return size == FAULTY_SIZE && atomic_fetch_add(&count, 1) == LATE - 1;
}

static void *late_crash_malloc(size_t size)
{
    if (strikes(size))
        abort();
    return base_malloc(size);
}

static void *late_null_malloc(size_t size)
{
    return strikes(size) ? NULL : base_malloc(size);
}

static void *late_exit_malloc(size_t size)
{
    if (strikes(size))
        exit(EXIT_SUCCESS);
    return base_malloc(size);
}

static void *late_hang_malloc(size_t size)
{
    for (volatile bool forever = strikes(size); forever;)
        ;
    return base_malloc(size);
}

FAULTY(faulty_late_crash, "late-crash", late_crash_malloc, base_free,
       base_realloc, base_calloc, base_memalign, base_usable_size, NULL);
FAULTY(faulty_late_null, "late-null", late_null_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
FAULTY(faulty_late_exit, "late-exit", late_exit_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
FAULTY(faulty_late_hang, "late-hang", late_hang_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
