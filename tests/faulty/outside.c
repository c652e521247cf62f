/* outside.c - malloc returns memory that is not the heap's: at another place
 * each time, so that the blocks of several threads do not overlap, too. */
#include "tests/faulty/base.h"

#include <stdatomic.h>

#define PLACES 64

static char elsewhere[PLACES][1024] __attribute__((aligned(16)));
static atomic_uint next;

static void *outside_malloc(size_t size)
{
    if (size != FAULTY_SIZE)
        return base_malloc(size);
    return elsewhere[atomic_fetch_add(&next, 1) % PLACES];
}

FAULTY(faulty_outside, "outside", outside_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
