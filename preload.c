/* preload.c - libmm-NAME.so: one of the lab's allocators as malloc for any
 * dynamically linked program.
 *
 *   LD_PRELOAD=./libmm-arena.so program
 *
 * Made once for each allocator with -DMM_SOURCE='"mm.c"' (or a design's file)
 * and -DMM_ALLOCATOR=mm_arena: the allocator's source is part of this file, its
 * table is constant, and so every call below inlines. All that gives
 * or takes a block is exported, so that no pointer of glibc's meets our free;
 * C++'s operators come along, for libstdc++'s call malloc. (mallinfo, mallopt
 * and their like reach glibc, whose heap then is empty: they tell nothing of
 * ours.)
 *
 * The allocator starts at the first call, whoever makes it: the dynamic linker
 * and other libraries' constructors allocate before ours could run, and at that
 * time there is one thread. Nothing here uses stdio or allocates. */
#include MM_SOURCE

#include <malloc.h>

void free_sized(void *p, size_t size);                       /* C23 */
void free_aligned_sized(void *p, size_t align, size_t size); /* C23 */
void cfree(void *p);                                         /* of old */

#define EXPORT __attribute__((visibility("default")))

static bool started;

static cold_noinline void start(void)
{
    started = true;
    if (MM_ALLOCATOR.init() != 0)
        mm_die("no memory to start with: raise the limit on addresses", NULL);
}

static always_inline void need_start(void)
{
    if (unlikely(!started))
        start();
}

/* ---- C --------------------------------------------------------------- */

EXPORT void *malloc(size_t size)
{
    need_start();
    return MM_ALLOCATOR.malloc(size);
}

EXPORT void free(void *p)
{
    if (p)
        MM_ALLOCATOR.free(p);
}

EXPORT void *calloc(size_t n, size_t size)
{
    need_start();
    return MM_ALLOCATOR.calloc(n, size);
}

EXPORT void *realloc(void *p, size_t size)
{
    need_start();
    return MM_ALLOCATOR.realloc(p, size);
}

EXPORT void *reallocarray(void *p, size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, bytes);
}

/* C23 and POSIX: the alignment is a power of two, or the call fails. */
EXPORT void *memalign(size_t align, size_t size)
{
    need_start();
    return MM_ALLOCATOR.memalign(align, size);
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (align % sizeof(void *) || align & (align - 1) || align == 0)
        return EINVAL;
    int saved = errno;
    void *p = memalign(align, size);
    errno = saved;
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

EXPORT void *valloc(size_t size)
{
    need_start();
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

/* As valloc, the size rounded up to whole pages, at least one. */
EXPORT void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > PTRDIFF_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return valloc(max_size(round_up(size, page), page));
}

EXPORT size_t malloc_usable_size(void *p)
{
    return p ? MM_ALLOCATOR.usable_size(p) : 0;
}

EXPORT void free_sized(void *p, size_t size)
{
    (void)size;
    free(p);
}

EXPORT void free_aligned_sized(void *p, size_t align, size_t size)
{
    (void)align;
    (void)size;
    free(p);
}

EXPORT void cfree(void *p)
{
    free(p);
}
