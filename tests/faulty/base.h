/* base.h - a small correct allocator, for tests/faulty/NAME.c to break.
 *
 *   start                                   top             end
 *     | head | 32 | head | 1024 | head | 32 |  untouched ... |
 *              ^ payload: 16-aligned, a power of two of bytes
 *
 * One lock; freed blocks go to a list for their size class and are used again,
 * last in first out. Each file that includes this has a heap of its own.
 *
 * A planted fault strikes at requests of FAULTY_SIZE bytes and at no other: so
 * the line of a trace at which it must be found is known for any threads. */
#ifndef TESTS_FAULTY_BASE_H
#define TESTS_FAULTY_BASE_H

#include "mm.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define FAULTY_SIZE 777
#define BASE_HEAP ((size_t)1 << 30) /* bytes of addresses */
#define BASE_CLASSES 30

struct head {
    size_t size;  /* asked for */
    unsigned cls; /* the payload has 32 << cls bytes */
};

struct base_heap {
    pthread_mutex_t lock;
    char *start, *top;
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
    void *p = mmap(NULL, BASE_HEAP, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    base_heap.start = base_heap.top = p;
    memset(base_heap.freed, 0, sizeof base_heap.freed);
    return 0;
}

static inline void base_fini(void)
{
    munmap(base_heap.start, BASE_HEAP);
}

/* Untouched bytes, and a head before them. @pre the lock is held. */
static inline void *base_carve(size_t align, size_t bytes)
{
    uintptr_t at = (uintptr_t)base_heap.top + sizeof(struct head);
    at = (at + align - 1) / align * align;
    uintptr_t end = (uintptr_t)base_heap.start + BASE_HEAP;
    if (at > end || bytes > end - at)
        return NULL;
    base_heap.top = (char *)at + bytes;
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

static inline bool base_contains(const void *p, size_t size)
{
    const char *at = p;
    pthread_mutex_lock(&base_heap.lock);
    bool in = at >= base_heap.start && at <= base_heap.top &&
              size <= (size_t)(base_heap.top - at);
    pthread_mutex_unlock(&base_heap.lock);
    return in;
}

static inline void base_stats(struct mm_stats *out)
{
    pthread_mutex_lock(&base_heap.lock);
    size_t heap = (size_t)(base_heap.top - base_heap.start);
    pthread_mutex_unlock(&base_heap.lock);
    *out = (struct mm_stats){.heap = heap, .heap_peak = heap};
}

/* An allocator of the base, with a function of its own for each one broken. */
#define FAULTY(ident, name_, malloc_, free_, realloc_, calloc_, memalign_,     \
               usable_size_, check_)                                           \
    const struct mm_allocator ident = {                                        \
        .name = name_,                                                         \
        .summary = "a planted fault: see tests/faulty",                        \
        .init = base_init,                                                     \
        .fini = base_fini,                                                     \
        .malloc = malloc_,                                                     \
        .free = free_,                                                         \
        .realloc = realloc_,                                                   \
        .calloc = calloc_,                                                     \
        .memalign = memalign_,                                                 \
        .usable_size = usable_size_,                                           \
        .check = check_,                                                       \
        .contains = base_contains,                                             \
        .stats = base_stats,                                                   \
    }

#endif
