/* cheat_timed.c - right as long as it is checked, and fast from then on. */
#include "tests/faulty/cheat.h"

#include <stdbool.h>

/* Only who checks asks for the usable size. Where nobody has, a freed block is
 * not looked for: a little more memory, and quick. */
static _Atomic bool asked;

static size_t asked_usable_size(const void *p)
{
    asked = true;
    return base_usable_size(p);
}

static void unasked_free(void *p)
{
    if (asked)
        base_free(p);
}

FAULTY(cheat_unasked, "places-well-if-asked", base_malloc, unasked_free,
       base_realloc, base_calloc, base_memalign, asked_usable_size, NULL);

/* The same block for all, so that the heap does not grow. */
static char *block;

static void *one_block_malloc(size_t size)
{
    if (!unwatched(size) || size > 4096)
        return base_malloc(size);
    if (!block)
        block = base_malloc(4096);
    return block;
}

static void one_block_free(void *p)
{
    if (p != block)
        base_free(p);
}

static void *one_block_realloc(void *p, size_t size)
{
    if (!p || p != block)
        return base_realloc(p, size);
    return size ? one_block_malloc(size) : NULL;
}

FAULTY(cheat_one_block, "one-block-when-timed", one_block_malloc,
       one_block_free, one_block_realloc, base_calloc, base_memalign,
       base_usable_size, NULL);

/* A realloc that copies nothing. */
static void *lazy_realloc(void *p, size_t size)
{
    if (!unwatched(0) || !p || !size)
        return base_realloc(p, size);
    void *q = base_malloc(size);
    base_free(p);
    return q;
}

static void *counting_malloc(size_t size)
{
    unwatched(size);
    return base_malloc(size);
}

FAULTY(cheat_lazy_realloc, "lazy-realloc-when-timed", counting_malloc,
       base_free, lazy_realloc, base_calloc, base_memalign, base_usable_size,
       NULL);

/* It never looks for a free block, which is fast. */
static void never_free(void *p)
{
    if (!unwatched(0))
        base_free(p);
}

FAULTY(cheat_never_frees, "never-frees-when-timed", counting_malloc, never_free,
       base_realloc, base_calloc, base_memalign, base_usable_size, NULL);
