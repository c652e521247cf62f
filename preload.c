/* preload.c - libmm-NAME.so: one of the lab's allocators as malloc for any
 * dynamically linked program.
 *
 *   LD_PRELOAD=$PWD/libmm-arena.so program
 *
 * Made once for each allocator with -DMM_SOURCE='"mm.c"' (or a design's file)
 * and -DMM_ALLOCATOR=mm_arena: the allocator's source is part of this file, its
 * table is constant, and so every call below inlines. All that gives
 * or takes a block is exported, so that no pointer of glibc's meets our free;
 * C++'s operators come along, for libstdc++'s call malloc.
 *
 * The allocator starts at the first call, whoever makes it: the dynamic linker
 * and other libraries' constructors allocate before ours could run, and at that
 * time there is one thread. Nothing here allocates, uses the locale, is a
 * point where threads are cancelled, or uses stdio, but that malloc_info must
 * write to the stream it is given. docs/conformance.md has the whole contract,
 * with a test for each sentence. */
#include MM_SOURCE

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

void free_sized(void *p, size_t size);                       /* C23 */
void free_aligned_sized(void *p, size_t align, size_t size); /* C23 */
void cfree(void *p);                                         /* of old */
struct mallinfo __libc_mallinfo(void);                       /* glibc's */

#define EXPORT __attribute__((visibility("default")))
#ifndef STAGE_STARTS
#define STAGE_STARTS false /* by itself, where it is slow anyway */
#endif
#define WHOLE __attribute__((flatten)) /* with all that it calls inlined */
#if __has_attribute(copy)
#define SAME_AS(name) __attribute__((alias(#name), copy(name))) EXPORT
#else
#define SAME_AS(name) __attribute__((alias(#name))) EXPORT
#endif

static bool started;

/* Starting may itself allocate: hence true before. */
static cold_noinline bool start(void)
{
    started = true;
    started = MM_ALLOCATOR.init() == 0;
    if (!started)
        errno = ENOMEM;
    return started;
}

/* Is there anything to tell of? */
static bool running(void)
{
    return STAGE_STARTS ? mem_range.size != 0 : started;
}

/* @return false, errno == ENOMEM: not even the memory to start with */
static always_inline bool ready(void)
{
    return STAGE_STARTS || likely(started) || start();
}

/* ---- C --------------------------------------------------------------- */

EXPORT WHOLE void *malloc(size_t size)
{
    return ready() ? MM_ALLOCATOR.malloc(size) : NULL;
}

EXPORT WHOLE void free(void *p)
{
    MM_ALLOCATOR.free(p);
}

EXPORT void *calloc(size_t n, size_t size)
{
    return ready() ? MM_ALLOCATOR.calloc(n, size) : NULL;
}

EXPORT void *realloc(void *p, size_t size)
{
    return ready() ? MM_ALLOCATOR.realloc(p, size) : NULL;
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
    return ready() ? MM_ALLOCATOR.memalign(align, size) : NULL;
}

EXPORT void *aligned_alloc(size_t align, size_t size)
{
    return memalign(align, size);
}

EXPORT int posix_memalign(void **out, size_t align, size_t size)
{
    if (align % sizeof(void *) || align & (align - 1) || align == 0)
        return EINVAL;
    void *p = memalign(align, size);
    if (!p)
        return ENOMEM;
    *out = p;
    return 0;
}

EXPORT void *valloc(size_t size)
{
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

/* glibc's other names of the same. Who wants to get past a malloc that stands
 * before libc's calls them; but what they give is freed by free. */
extern SAME_AS(malloc) void *__libc_malloc(size_t size);
extern SAME_AS(free) void __libc_free(void *p);
extern SAME_AS(calloc) void *__libc_calloc(size_t n, size_t size);
extern SAME_AS(realloc) void *__libc_realloc(void *p, size_t size);
extern SAME_AS(memalign) void *__libc_memalign(size_t align, size_t size);
extern SAME_AS(valloc) void *__libc_valloc(size_t size);
extern SAME_AS(pvalloc) void *__libc_pvalloc(size_t size);

/* ---- glibc's questions and knobs -------------------------------------- */

struct usage {
    size_t system, peak; /* bytes that the heap has, and had at most */
    size_t used, free;   /* of blocks in use; the rest */
};

static struct usage usage(void)
{
    struct mm_stats s = {0};
    struct usage u = {0};
    if (!running())
        return u;
    u.used = MM_ALLOCATOR.used ? MM_ALLOCATOR.used() : SIZE_MAX;
    MM_ALLOCATOR.stats(&s); /* a heap that grows meanwhile only has more free */
    u.used = min_size(u.used, s.heap);
    u.system = s.heap;
    u.peak = max_size(s.heap, s.heap_peak);
    u.free = s.heap - u.used;
    return u;
}

EXPORT struct mallinfo2 mallinfo2(void)
{
    struct usage u = usage();
    return (struct mallinfo2){.arena = u.system,
                              .usmblks = u.peak,
                              .uordblks = u.used,
                              .fordblks = u.free};
}

EXPORT struct mallinfo __libc_mallinfo(void)
{
    struct usage u = usage();
    return (struct mallinfo){.arena = (int)u.system,
                             .usmblks = (int)u.peak,
                             .uordblks = (int)u.used,
                             .fordblks = (int)u.free};
}

EXPORT struct mallinfo mallinfo(void)
{
    return __libc_mallinfo();
}

/* None of glibc's parameters has a meaning here. @return 0: not done */
EXPORT int mallopt(int param, int value)
{
    (void)param;
    (void)value;
    return 0;
}

extern SAME_AS(mallopt) int __libc_mallopt(int param, int value);

/* @return whether there was anything to give back; pad is glibc's affair */
EXPORT int malloc_trim(size_t pad)
{
    (void)pad;
    return running() && MM_ALLOCATOR.trim && MM_ALLOCATOR.trim() > 0;
}

/* what = n, as glibc aligns it */
static void stats_line(const char *what, size_t n)
{
    struct line l = {.len = 0}, number = {.len = 0};
    line_str(&l, what);
    line_num(&number, n, 10);
    for (size_t width = number.len; width < 10; width++)
        line_str(&l, " ");
    number.text[number.len] = '\0';
    line_str(&l, number.text);
    line_write(&l);
}

EXPORT void malloc_stats(void)
{
    struct usage u = usage();
    struct mem_mapped m = mem_mapped();
    stats_line("system bytes     = ", u.system);
    stats_line("in use bytes     = ", u.used);
    stats_line("max system bytes = ", u.peak);
    stats_line("max mmap regions = ", m.most_regions);
    stats_line("max mmap bytes   = ", m.most_bytes);
}

/* <tag type="type" size="bytes"/> */
static void xml_size(struct line *l, const char *tag, const char *type,
                     size_t bytes)
{
    line_str(l, tag);
    line_str(l, type);
    line_str(l, "\" size=\"");
    line_num(l, bytes, 10);
    line_str(l, "\"/>\n");
}

/* What glibc writes of a heap without bins. The stream may allocate: by then
 * nothing is held here. @return 0; EINVAL: options is not 0; -1 and errno */
EXPORT int malloc_info(int options, FILE *stream)
{
    if (options != 0)
        return EINVAL;
    struct usage u = usage();
    struct line l[2] = {{.len = 0}, {.len = 0}};
    line_str(&l[0], "<malloc version=\"1\">\n");
    xml_size(&l[0], "<total type=\"", "used", u.used);
    xml_size(&l[0], "<total type=\"", "rest", u.free);
    xml_size(&l[1], "<system type=\"", "current", u.system);
    xml_size(&l[1], "<system type=\"", "max", u.peak);
    line_str(&l[1], "</malloc>\n");
    int state;
    bool done = true;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    for (int i = 0; i < 2; i++)
        done &= fwrite(l[i].text, 1, l[i].len, stream) == l[i].len;
    pthread_setcancelstate(state, &state);
    return done ? 0 : -1;
}
