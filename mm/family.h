/* family.h - the contract of the malloc family in C and POSIX, once, over what
 * an allocator can do.
 *
 * To be included by an allocator (mm.c, designs/family.h), which defines: */
#ifndef MM_FAMILY_H
#define MM_FAMILY_H

#include "mm/util.h"

#include <errno.h>

/** Allocate size bytes. malloc(0) is a block of its own.
 * @return 16-aligned payload; NULL, errno == ENOMEM. */
static void *mm_malloc(size_t size);
/** Free p; NULL does nothing. errno is kept.
 * Dies with a line on stderr on a pointer that is no live block's. */
static void mm_free(void *p);
/** As mm_malloc, with all bytes zero. */
static void *family_zeroed(size_t size);
/** As mm_malloc, with the payload a multiple of align, a power of two. Both are
 * at most MAX_REQUEST. */
static void *family_aligned(size_t align, size_t size);
/** Bytes that may be used at p, which is not NULL. */
static size_t family_usable(const void *p);
/** Make p of size > 0 bytes, where it is or elsewhere, perhaps by family_move.
 * @return NULL: no memory, and p stays */
static void *family_resize(void *p, size_t size);
/** p, of which `bytes` could be used, was copied to a block of size bytes, and
 * is freed next. */
static always_inline void family_leaving(void *p, size_t bytes, size_t size);

/** @return n * size zero bytes; NULL, errno == ENOMEM, also on overflow. */
static void *mm_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes))
        return no_memory();
    return family_zeroed(bytes);
}

/** Allocate with the payload a multiple of align, a power of two.
 * @return NULL, errno == EINVAL or ENOMEM. */
static void *mm_memalign(size_t align, size_t size)
{
    if (align & (align - 1) || align == 0) {
        errno = EINVAL;
        return NULL;
    }
    if (size > MAX_REQUEST || align > MAX_REQUEST)
        return no_memory();
    return family_aligned(align, size);
}

/** Bytes that may be used at p, at least those asked for; 0 for NULL. */
static size_t mm_usable_size(const void *p)
{
    return p ? family_usable(p) : 0;
}

/** Move p, live, to a block of another size. NULL: no memory, and p stays. */
static void *family_move(void *p, size_t size)
{
    void *q = mm_malloc(size);
    if (!q)
        return NULL;
    size_t bytes = family_usable(p);
    memcpy(q, p, min_size(bytes, size));
    family_leaving(p, bytes, size);
    mm_free(p);
    return q;
}

/** Resize p, in place where the allocator can.
 * @param size  bytes; 0 frees p and returns NULL, as glibc does.
 * @return 16-aligned payload, first min(old, size) bytes kept; on failure
 *         NULL, errno == ENOMEM, and p is untouched and still live. */
static void *mm_realloc(void *p, size_t size)
{
    if (!p)
        return mm_malloc(size);
    if (size == 0) {
        mm_free(p);
        return NULL;
    }
    if (size > MAX_REQUEST)
        return no_memory();
    return family_resize(p, size);
}

/* For the allocator's struct mm_allocator. */
#define FAMILY                                                                 \
    .malloc = mm_malloc, .free = mm_free, .realloc = mm_realloc,               \
    .calloc = mm_calloc, .memalign = mm_memalign,                              \
    .usable_size = mm_usable_size

#endif
