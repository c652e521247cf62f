/* family.h - the C and POSIX contract of the malloc family, once, over what a
 * design can do. The design that includes this file last defines:
 *
 *   design_malloc(size)           any size up to PTRDIFF_MAX; NULL and ENOMEM
 *   design_memalign(align, size)  align a power of two above 16
 *   design_free(p), design_usable(p)   p is not NULL
 *   design_resize(p, size)        without a second block: p, or where its
 *                                 pages moved to; NULL: it does not go
 *   design_fresh(p)               is p, just made, known to be zero? */
#ifndef DESIGNS_FAMILY_H
#define DESIGNS_FAMILY_H

#include "mm/util.h"

#include <errno.h>

#define MAX_REQUEST ((size_t)PTRDIFF_MAX) /* ends must be subtractable */

static void *design_malloc(size_t size);
static void *design_memalign(size_t align, size_t size);
static void design_free(void *p);
static size_t design_usable(const void *p);
static void *design_resize(void *p, size_t size);
static bool design_fresh(const void *p);

static void *no_memory(void)
{
    errno = ENOMEM;
    return NULL;
}

static void *family_malloc(size_t size)
{
    return likely(size <= MAX_REQUEST) ? design_malloc(size) : no_memory();
}

static void family_free(void *p)
{
    if (likely(p))
        design_free(p);
}

static void *family_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return no_memory();
    void *p = family_malloc(bytes);
    if (!p || design_fresh(p))
        return p;
    return memset(p, 0, bytes);
}

static void *family_memalign(size_t align, size_t size)
{
    if (align == 0 || align & (align - 1)) {
        errno = EINVAL;
        return NULL;
    }
    if (size > MAX_REQUEST || align > MAX_REQUEST)
        return no_memory();
    return align > ALIGN ? design_memalign(align, size) : design_malloc(size);
}

static size_t family_usable_size(const void *p)
{
    return p ? design_usable(p) : 0;
}

/* As glibc's: realloc(p, 0) frees p and returns NULL. */
static void *family_realloc(void *p, size_t size)
{
    if (!p)
        return family_malloc(size);
    if (size == 0) {
        design_free(p);
        return NULL;
    }
    if (size > MAX_REQUEST)
        return no_memory();
    void *q = design_resize(p, size);
    if (q)
        return q;
    q = design_malloc(size);
    if (!q)
        return NULL;
    memcpy(q, p, min_size(design_usable(p), size));
    design_free(p);
    return q;
}

/* For the design's struct mm_allocator. */
#define FAMILY                                                                 \
    .malloc = family_malloc, .free = family_free, .realloc = family_realloc,   \
    .calloc = family_calloc, .memalign = family_memalign,                      \
    .usable_size = family_usable_size

#endif
