/* family.h - the malloc family of a design: mm/family.h over what the design
 * can do. The design that includes this file last defines:
 *
 *   design_malloc(size)           any size up to PTRDIFF_MAX; NULL and ENOMEM
 *   design_memalign(align, size)  align a power of two; 16 or less: as malloc
 *   design_free(p), design_usable(p)   p is not NULL
 *   design_resize(p, size)        without a second block: p, or where its
 *                                 pages moved to; NULL: it does not go
 *   design_fresh(p)               is p, just made, known to be zero? */
#ifndef DESIGNS_FAMILY_H
#define DESIGNS_FAMILY_H

#include "mm/family.h"

static void *design_malloc(size_t size);
static void *design_memalign(size_t align, size_t size);
static void design_free(void *p);
static size_t design_usable(const void *p);
static void *design_resize(void *p, size_t size);
static bool design_fresh(const void *p);

static void *mm_malloc(size_t size)
{
    return likely(size <= MAX_REQUEST) ? design_malloc(size) : no_memory();
}

static void mm_free(void *p)
{
    if (likely(p))
        design_free(p);
}

static void *family_zeroed(size_t size)
{
    void *p = mm_malloc(size);
    return !p || design_fresh(p) ? p : memset(p, 0, size);
}

static void *family_aligned(size_t align, size_t size)
{
    return align > ALIGN ? design_memalign(align, size) : design_malloc(size);
}

static size_t family_usable(const void *p)
{
    return design_usable(p);
}

static void *family_resize(void *p, size_t size)
{
    void *q = design_resize(p, size);
    return q ? q : family_move(p, size);
}

static always_inline void family_leaving(void *p, size_t bytes, size_t size)
{
    (void)p, (void)bytes, (void)size;
}

#endif
