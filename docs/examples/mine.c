/* mine.c - an allocator to begin with: a list of free blocks for each power of
 * two, one lock. docs/add-an-allocator.md walks through it.
 *
 *   start                          a block: 32 << cls bytes
 *     | gap | struct head | payload .................... |
 *     gap: 0 but for memalign       ^ aligned; what malloc returns */
#include "memlib.h"
#include "mm.h"
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define CLASSES 40

struct head {
    char *start; /* of the block; when it is free, it holds the next one's */
    size_t cls;
};

static char *freed[CLASSES]; /* starts of free blocks; only with the lock */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int mine_init(void)
{
    memset(freed, 0, sizeof freed);
    return mem_init();
}

static void *mine_memalign(size_t align, size_t size)
{
    align = align < 16 ? 16 : align;
    size_t cls = 0, need = size + align; /* less than size: an overflow */
    while (cls < CLASSES && ((size_t)32 << cls < need || need < size))
        cls++;
    if (cls == CLASSES)
        return errno = ENOMEM, NULL;
    pthread_mutex_lock(&lock);
    char *start = freed[cls];
    if (start)
        freed[cls] = *(char **)start;
    else
        start = mem_sbrk((size_t)32 << cls); /* sets errno */
    pthread_mutex_unlock(&lock);
    if (!start)
        return NULL;
    struct head *h = (void *)(((uintptr_t)start + align) & -align);
    h[-1] = (struct head){start, cls};
    return h;
}

static void *mine_malloc(size_t size)
{
    return mine_memalign(16, size);
}

static void mine_free(void *p)
{
    if (!p)
        return;
    struct head *h = (struct head *)p - 1, old = *h;
    pthread_mutex_lock(&lock);
    *(char **)old.start = freed[old.cls];
    freed[old.cls] = old.start;
    pthread_mutex_unlock(&lock);
}

static size_t mine_usable_size(const void *p)
{
    const struct head *h = (const struct head *)p - 1;
    return (size_t)(h->start + ((size_t)32 << h->cls) - (const char *)p);
}

static void *mine_realloc(void *p, size_t size)
{
    void *q = p && !size ? NULL : mine_malloc(size);
    size_t old = p ? mine_usable_size(p) : 0;
    if (p && q)
        memcpy(q, p, old < size ? old : size);
    if (q || !size)
        mine_free(p);
    return q;
}

static void *mine_calloc(size_t n, size_t size)
{
    bool overflow = size && n > SIZE_MAX / size;
    void *p = mine_malloc(overflow ? SIZE_MAX : n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static void mine_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = mem_heapsize(), .heap_peak = mem_peak()};
}

const struct mm_allocator mm_mine = {
    .name = "mine",
    .summary = "my first: powers of two, one lock",
    .init = mine_init,
    .fini = mem_fini,
    .malloc = mine_malloc,
    .free = mine_free,
    .realloc = mine_realloc,
    .calloc = mine_calloc,
    .memalign = mine_memalign,
    .usable_size = mine_usable_size,
    .contains = mem_contains,
    .stats = mine_stats,
};
