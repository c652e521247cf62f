/* base.h - a small correct allocator, for tests/faulty/NAME.c to break.
 *
 *   start                                   top             end
 *     | head | 32 | head | 1024 | head | 32 |  memlib
 *              ^ payload: 16-aligned, a power of two of bytes
 *
 * One lock; freed blocks go to a list for their size class and are used again,
 * last in first out. A process has one of them, so memlib's heap is its alone.
 *
 * A planted fault strikes at requests of FAULTY_SIZE bytes and at no other: so
 * the line of a trace at which it must be found is known for any threads. */
#ifndef TESTS_FAULTY_BASE_H
#define TESTS_FAULTY_BASE_H

#include "memlib.h"
#include "mm.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define FAULTY_SIZE 777
#define BASE_CLASSES 30

struct head {
    size_t size;  /* asked for */
    unsigned cls; /* the payload has 32 << cls bytes */
};

struct base_heap {
    pthread_mutex_t lock;
    char *top;                 /* the break: nobody else moves it */
    void *freed[BASE_CLASSES]; /* payloads; each holds the next */
};

static struct base_heap base_heap = {.lock = PTHREAD_MUTEX_INITIALIZER};

static inline struct head *base_head(const void *p)
{
    return (struct head *)((char *)p - sizeof(struct head));
}

static inline size_t base_usable_size(const void *p)
{
    return (size_t)32 << base_head(p)->cls;
}

static inline int base_init(void)
{
    if (mem_init() != 0)
        return -1;
    base_heap.top = mem_sbrk(0);
    memset(base_heap.freed, 0, sizeof base_heap.freed);
    return 0;
}

/* Untouched bytes, and a head before them. @pre the lock is held. */
static inline void *base_carve(size_t align, size_t bytes)
{
    uintptr_t at = (uintptr_t)base_heap.top + sizeof(struct head);
    at = (at + align - 1) / align * align;
    char *end = (char *)at + bytes;
    if (!mem_extend(base_heap.top, (size_t)(end - base_heap.top)))
        return NULL;
    base_heap.top = end;
    return (void *)at;
}

static inline void *base_take(size_t align, size_t size)
{
    unsigned cls = 0;
    while (cls < BASE_CLASSES && (size_t)32 << cls < size)
        cls++;
    void *p = NULL;
    pthread_mutex_lock(&base_heap.lock);
    if (cls < BASE_CLASSES && align == 16 && base_heap.freed[cls]) {
        p = base_heap.freed[cls];
        base_heap.freed[cls] = *(void **)p;
    } else if (cls < BASE_CLASSES) {
        p = base_carve(align, (size_t)32 << cls);
    }
    if (p)
        *base_head(p) = (struct head){size, cls};
    else
        errno = ENOMEM;
    pthread_mutex_unlock(&base_heap.lock);
    return p;
}

static inline void *base_malloc(size_t size)
{
    return base_take(16, size);
}

static inline void *base_memalign(size_t align, size_t size)
{
    return base_take(align < 16 ? 16 : align, size);
}

static inline void base_free(void *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&base_heap.lock);
    *(void **)p = base_heap.freed[base_head(p)->cls];
    base_heap.freed[base_head(p)->cls] = p;
    pthread_mutex_unlock(&base_heap.lock);
}

static inline void *base_realloc(void *p, size_t size)
{
    void *q = size || !p ? base_malloc(size) : NULL;
    if (p && q)
        memcpy(q, p, size < base_head(p)->size ? size : base_head(p)->size);
    if (q || !size)
        base_free(p);
    return q;
}

static inline void *base_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = base_malloc(bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static inline void base_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = mem_heapsize(), .heap_peak = mem_peak()};
}

/* An allocator of the base, with a function of its own for each one broken. */
#define FAULTY(ident, name_, malloc_, free_, realloc_, calloc_, memalign_,     \
               usable_size_, check_)                                           \
    const struct mm_allocator ident = {                                        \
        .name = name_,                                                         \
        .summary = "a planted fault: see tests/faulty",                        \
        .init = base_init,                                                     \
        .fini = mem_fini,                                                      \
        .malloc = malloc_,                                                     \
        .free = free_,                                                         \
        .realloc = realloc_,                                                   \
        .calloc = calloc_,                                                     \
        .memalign = memalign_,                                                 \
        .usable_size = usable_size_,                                           \
        .check = check_,                                                       \
        .contains = mem_contains,                                              \
        .stats = base_stats,                                                   \
    }

#endif
