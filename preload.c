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
 * The allocator starts at the first call, whatever makes it: the dynamic linker
 * and other libraries' constructors allocate before ours could run, and at that
 * time there is one thread. If nobody does, our constructor makes it. Nothing
 * here allocates, uses the locale, is a point where threads are cancelled, or
 * uses stdio, but that malloc_info must write to the stream it is given.
 * docs/conformance.md has the whole contract, with a test for each sentence. */
#include MM_SOURCE

#include "mm/engine/view.h"
#include "preload_background.h"
#include "preload_options.h"
#include "preload_pressure.h"
#include "preload_stats.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>

void free_sized(void *p, size_t size);                       /* C23 */
void free_aligned_sized(void *p, size_t align, size_t size); /* C23 */
void cfree(void *p);                                         /* of old */
void *pvalloc(size_t size);
#ifdef __GLIBC__
struct mallinfo __libc_mallinfo(void);
#endif

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

static bool starting, started;

/* Is this thread inside the allocator already? A hook of a system call that the
 * allocator makes may allocate, and so may what it starts with. */
static bool inside(void)
{
    return mem_calling() || starting;
}

/* Is there anything to tell of, and does nobody hold it? */
__attribute__((unused)) static bool running(void)
{
    return STAGE_STARTS ? mem_range.size != 0 : started && !inside();
}

static void free_later(void)
{
    for (void *p = mem_later_take(), *next; p; p = next) {
        next = *(void **)p;
        MM_ALLOCATOR.free(p);
    }
}

/* The thread's first call, or the first after a system call of memlib's.
 * @return false: the allocator must not be touched, as this thread is inside
 * it; or it cannot start. errno is kept. */
static cold_noinline bool gate_enter(void)
{
    int saved = errno;
    if (inside())
        return false;
    if (!started) {
        starting = true;
        started = MM_ALLOCATOR.init() == 0;
        starting = false;
        errno = saved;
    }
    if (!started)
        return false;
    mem_gate = true; /* unless one of these frees makes it false again */
    free_later();
    return true;
}

/* Has this thread been through that since its last system call? */
static always_inline bool passed(void)
{
    return STAGE_STARTS || likely(mem_gate);
}

static bool ready(void)
{
    return passed() || gate_enter();
}

/* ---- inside ---------------------------------------------------------- */

/* The family where the allocator is not ready: of side blocks (memlib.h). If
 * it cannot start, these find no memory either. */
static cold_noinline void *inside_memalign(size_t align, size_t size)
{
    if (align & (align - 1) || align == 0) {
        errno = EINVAL;
        return NULL;
    }
    return mem_side(align, size);
}

static cold_noinline void *inside_calloc(size_t n, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(n, size, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    void *p = mem_side(ALIGN, bytes);
    return p ? memset(p, 0, bytes) : NULL;
}

static cold_noinline void inside_free(void *p)
{
    if (!p || mem_side_free(p))
        return;
    if (!started)
        mm_die("free of a pointer that malloc never returned", p);
    mem_later(p);
}

/* All that is asked of the allocator inside: this takes no lock anywhere. */
static cold_noinline size_t inside_usable(const void *p)
{
    size_t usable = mem_side_usable(p);
    return usable ? usable : MM_ALLOCATOR.usable_size(p);
}

static cold_noinline void *inside_realloc(void *p, size_t size)
{
    if (p && size == 0) {
        inside_free(p);
        return NULL;
    }
    size_t usable = p ? inside_usable(p) : 0;
    if (p && size <= usable)
        return p;
    void *q = mem_side(ALIGN, size);
    if (p && q) {
        memcpy(q, p, usable);
        inside_free(p);
    }
    return q;
}

/* Of their own, so that malloc and free need no stack. */
static cold_noinline void *malloc_unready(size_t size)
{
    return gate_enter() ? MM_ALLOCATOR.malloc(size) : mem_side(ALIGN, size);
}

static cold_noinline void free_unready(void *p)
{
    if (gate_enter())
        MM_ALLOCATOR.free(p);
    else
        inside_free(p);
}

/* For preload_background.h. */
static bool window_end(void)
{
    return ready() && MM_ALLOCATOR.decay(pressure());
}

static void background_wanted(void)
{
    if (!MM_ALLOCATOR.decay)
        option_complain("MM_BACKGROUND=1", "0 with this allocator");
    else if (!background_start())
        option_complain("MM_BACKGROUND=1",
                        "0 where the system makes no thread");
}

/* For scripts/libmm_top.py. A design tells what it has from memlib. */
#ifndef ALLOCATOR_VIEW
#define ALLOCATOR_VIEW VIEW_IS("no arenas", 0)
#endif
__attribute__((used)) static const struct view_word view[] = {
    {VIEW_MAGIC},
    VIEW_AT("name", &MM_ALLOCATOR.name),
    VIEW_MEM,
    ALLOCATOR_VIEW,
    {"", 0}};

/* For preload_stats.h. */
static bool has_started(void)
{
    return STAGE_STARTS ? mem_range.size != 0 : started;
}

/* At the latest before main: a program may forbid itself system calls that only
 * the start needs (seccomp), and allocate then for the first time. */
__attribute__((constructor)) static void start_early(void)
{
    int saved = errno; /* main starts with none */
    options_read();
    mem_set_huge(opts.huge);
    if (ready())
        MM_ALLOCATOR.free(MM_ALLOCATOR.malloc(1));
    if (opts.names)
        mem_set_names();
    if (opts.background)
        background_wanted();
    stats_begin();
    errno = saved;
}

/* ---- C --------------------------------------------------------------- */

EXPORT WHOLE void *malloc(size_t size)
{
    return likely(passed()) ? MM_ALLOCATOR.malloc(size) : malloc_unready(size);
}

EXPORT WHOLE void free(void *p)
{
    if (likely(passed()))
        MM_ALLOCATOR.free(p);
    else
        free_unready(p);
}

EXPORT void *calloc(size_t n, size_t size)
{
    return ready() ? MM_ALLOCATOR.calloc(n, size) : inside_calloc(n, size);
}

/* This thread makes libc's list of fork's handlers longer. Others that fork
 * walk the list as it was (glibc drops its lock for each handler), so that
 * stays whole, for good. */
static __thread bool keeps_old;

static cold_noinline void *realloc_keeping(const void *p, size_t size)
{
    void *q = malloc(size);
    return q ? memcpy(q, p, min_size(malloc_usable_size((void *)p), size)) : q;
}

EXPORT void *realloc(void *p, size_t size)
{
    if (unlikely(keeps_old) && p)
        return realloc_keeping(p, size);
    return ready() ? MM_ALLOCATOR.realloc(p, size) : inside_realloc(p, size);
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
    return ready() ? MM_ALLOCATOR.memalign(align, size)
                   : inside_memalign(align, size);
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
    if (!p)
        return 0;
    return ready() ? MM_ALLOCATOR.usable_size(p) : inside_usable(p);
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

#ifdef __GLIBC__ /* to the end; musl's users have none of these */

/* glibc's other names of the same. A program that wants to get past a malloc
 * that stands before libc's calls them; but what they give is freed by free. */
extern SAME_AS(malloc) void *__libc_malloc(size_t size);
extern SAME_AS(free) void __libc_free(void *p);
extern SAME_AS(calloc) void *__libc_calloc(size_t n, size_t size);
extern SAME_AS(realloc) void *__libc_realloc(void *p, size_t size);
extern SAME_AS(memalign) void *__libc_memalign(size_t align, size_t size);
extern SAME_AS(valloc) void *__libc_valloc(size_t size);
extern SAME_AS(pvalloc) void *__libc_pvalloc(size_t size);

/* ---- glibc's questions and knobs -------------------------------------- */

struct usage {
    size_t system, peak;    /* bytes that the heap has, and had at most */
    size_t used, free;      /* of blocks in use; the rest */
    size_t cached;          /* of the rest: what threads keep for themselves */
    size_t nmapped, mapped; /* blocks in use outside; bytes, in used, too */
};

/* Where there is no census, the allocator may take a lock, and so not here if
 * this thread is inside it. */
static size_t bytes_used(const struct mm_census *c)
{
    if (MM_ALLOCATOR.census)
        return c->live;
    return running() && MM_ALLOCATOR.used ? MM_ALLOCATOR.used() : SIZE_MAX;
}

static struct usage usage_of(const struct mm_census *c)
{
    struct mm_stats s = {0};
    struct usage u = {0};
    if (!has_started())
        return u;
    MM_ALLOCATOR.stats(&s); /* a heap that grows meanwhile only has more free */
    u.used = min_size(bytes_used(c), s.heap);
    u.nmapped = s.nmapped;
    u.mapped = min_size(s.mapped, u.used);
    u.system = s.heap;
    u.peak = max_size(s.heap, s.heap_peak);
    u.free = s.heap - u.used;
    u.cached = min_size(c->cached, u.free);
    return u;
}

static struct usage usage(void)
{
    struct mm_census c = {0};
    take_census(&c);
    return usage_of(&c);
}

/* As with glibc, blocks that are mappings of their own are in hblks and hblkhd,
 * and in nothing else but usmblks. */
EXPORT struct mallinfo2 mallinfo2(void)
{
    struct usage u = usage();
    return (struct mallinfo2){.arena = u.system - u.mapped,
                              .hblks = u.nmapped,
                              .hblkhd = u.mapped,
                              .usmblks = u.peak,
                              .fsmblks = u.cached,
                              .uordblks = u.used - u.mapped,
                              .fordblks = u.free};
}

EXPORT struct mallinfo __libc_mallinfo(void)
{
    struct usage u = usage();
    return (struct mallinfo){.arena = (int)(u.system - u.mapped),
                             .hblks = (int)u.nmapped,
                             .hblkhd = (int)u.mapped,
                             .usmblks = (int)u.peak,
                             .fsmblks = (int)u.cached,
                             .uordblks = (int)(u.used - u.mapped),
                             .fordblks = (int)u.free};
}

EXPORT struct mallinfo mallinfo(void)
{
    return __libc_mallinfo();
}

/* The settings while the program runs: 0 or 1, but for MM_DECAY. Of glibc's
 * parameters one has a meaning here, and that only where it says that nothing
 * shall go back. @return 0: not done */
EXPORT int mallopt(int param, int value)
{
    bool decays = MM_ALLOCATOR.decay, on = value == 1, is = on || value == 0;
    switch (param) {
    case M_TRIM_THRESHOLD: is = decays && value == -1; break;
    case M_MM_DECAY: is = decays && value >= -1; break;
    case M_MM_BACKGROUND: return decays && on && ready() && background_start();
    case M_MM_HUGE:
        is = is && ready();
        if (is)
            mem_set_huge(huge_mode(on));
        return is;
    case M_MM_ABORT:
        if (is)
            abort_set(on);
        return is;
    default: return 0;
    }
    if (is)
        decay_set(value);
    return is;
}

extern SAME_AS(mallopt) int __libc_mallopt(int param, int value);

/* @return whether there was anything to give back; pad is glibc's affair */
EXPORT int malloc_trim(size_t pad)
{
    (void)pad;
    return running() && MM_ALLOCATOR.trim && MM_ALLOCATOR.trim() > 0;
}

/* what = n, as glibc aligns it */
static void stats_line(struct out *o, const char *what, size_t n)
{
    out_str(o, what);
    out_num_wide(o, n, 10);
    out_str(o, "\n");
}

EXPORT void malloc_stats(void)
{
    char text[1024];
    struct out o = {
        .text = text, .size = sizeof text, .put = put_fd, .fd = STDERR_FILENO};
    struct mm_census c = {0};
    struct mem_mapped m = mem_mapped();
    take_census(&c);
    struct usage u = usage_of(&c);
    stats_line(&o, "system bytes     = ", u.system);
    stats_line(&o, "in use bytes     = ", u.used);
    stats_line(&o, "max system bytes = ", u.peak);
    stats_line(&o, "max mmap regions = ", m.most_regions);
    stats_line(&o, "max mmap bytes   = ", m.most_bytes);
    if (MM_ALLOCATOR.census) {
        stats_line(&o, "cached bytes     = ", c.cached);
        stats_line(&o, "free bytes       = ", c.sent + c.free + c.spare);
        stats_line(&o, "purged bytes     = ", c.purged);
        stats_line(&o, "untouched bytes  = ", c.untouched);
        stats_line(&o, "arenas           = ", c.arenas);
    }
    stats_line(&o, "record bytes     = ", c.records);
    out_end(&o);
}

/* What glibc has no name for. */
static void xml_census(struct out *o, const struct mm_census *c)
{
    xml_size(o, "<total type=\"sent\" size=\"", c->sent);
    xml_size(o, "<total type=\"spare\" size=\"", c->spare);
    xml_size(o, "<total type=\"purged\" size=\"", c->purged);
    xml_size(o, "<total type=\"untouched\" size=\"", c->untouched);
    xml_size(o, "<total type=\"records\" size=\"", c->records);
}

/* The stream may allocate: nothing is held here, and what it changes is counted
 * or not. @return 0; EINVAL: options is not 0; -1 and errno */
EXPORT int malloc_info(int options, FILE *stream)
{
    if (options != 0)
        return EINVAL;
    char text[1024];
    struct mm_census_class of[2][MM_CENSUS_CLASSES] = {0};
    struct out o = {
        .text = text, .size = sizeof text, .put = put_stream, .stream = stream};
    struct xml_info info = {&o, of[1]};
    struct mm_census c = {.arena = xml_heap,
                          .arg = &info,
                          .classes = of[0],
                          .arena_classes = of[1]};
    int state;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
    out_str(&o, "<malloc version=\"1\">\n");
    take_census(&c);
    struct usage u = usage_of(&c);
    xml_size(&o, "<total type=\"fast\" size=\"", u.cached);
    xml_size(&o, "<total type=\"rest\" size=\"", u.free - u.cached);
    xml_size(&o, "<total type=\"used\" size=\"", u.used - u.mapped);
    out_str(&o, "<total type=\"mmap\" count=\"");
    out_num(&o, u.nmapped);
    xml_size(&o, "\" size=\"", u.mapped);
    if (MM_ALLOCATOR.census)
        xml_census(&o, &c);
    xml_size(&o, "<system type=\"current\" size=\"", u.system - u.mapped);
    xml_size(&o, "<system type=\"max\" size=\"", u.peak);
    out_str(&o, "</malloc>\n");
    int failed = out_end(&o);
    pthread_setcancelstate(state, &state);
    if (failed)
        errno = failed;
    return failed ? -1 : 0;
}

#endif

/* ---- fork ------------------------------------------------------------ */

/* For preload_dlopen.c: this thread registers handlers of fork. @return is fork
 * held off meanwhile? */
__attribute__((visibility("hidden"))) bool preload_registers(void);
/* It has. */
__attribute__((visibility("hidden"))) void preload_registered(bool off);

bool preload_registers(void)
{
    keeps_old = true;
#ifdef MM_FORK_H
    return fork_hold_off();
#else
    return false;
#endif
}

void preload_registered(bool off)
{
    keeps_old = false;
    (void)off;
#ifdef MM_FORK_H
    if (off)
        fork_go_on();
#endif
}
