/* record.c - librecord.so: writes down every heap operation of a program.
 *
 * Preloaded by scripts/record.sh. Each function of the malloc family calls the
 * one that the program would have had, and puts an event in the process's log
 * (record/log.h); rec2trace makes a trace of it afterwards.
 *
 *   thread 0   p = malloc ─ stamp 1 ─┐ hands p over
 *   thread 1                         └► stamp 2 ─ free(p) ─┐ p may be reused
 *   thread 2                                               └► malloc ─ stamp 3
 *
 * The order of operations on one block is right because a block is stamped
 * after the allocator gave it out and before it goes back. realloc does both,
 * so it takes two stamps: FROM before the call, when the old address may
 * be reused by anyone, and TO after it. If it failed, no one reused it.
 *
 * What is not seen: programs that are static, set-uid or bring their own
 * malloc in the executable, and what runs before libc is set up. */
#include "record/writer.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EARLY_SIZE ((size_t)64 << 10)
#define EARLY_ALIGN ((size_t)16)
#define HIDDEN __attribute__((noinline, cold))

void free_sized(void *p, size_t size);
void free_aligned_sized(void *p, size_t align, size_t size);

/* What the program would have called. */
static struct {
    void *(*malloc)(size_t);
    void (*free)(void *);
    void *(*calloc)(size_t, size_t);
    void *(*realloc)(void *, size_t);
    void *(*memalign)(size_t, size_t);
    void *(*aligned_alloc)(size_t, size_t);
    int (*posix_memalign)(void **, size_t, size_t);
} real;

/* dlsym itself may allocate: it gets zeroed memory from here, never reused.
 * Each block has its size in the 16 bytes before it. */
static _Alignas(16) unsigned char early[EARLY_SIZE];
static _Atomic size_t early_used;

static void *early_alloc(size_t size)
{
    size_t need = (size + 2 * EARLY_ALIGN - 1) & ~(EARLY_ALIGN - 1);
    if (size > EARLY_SIZE)
        return NULL;
    size_t at = atomic_fetch_add(&early_used, need);
    if (at + need > EARLY_SIZE)
        return NULL;
    memcpy(early + at, &size, sizeof size);
    return early + at + EARLY_ALIGN;
}

static bool is_early(const void *p)
{
    return (uintptr_t)p - (uintptr_t)early < EARLY_SIZE;
}

static void lookup(const char *name, void *function)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found); /* ISO C has no such cast */
}

/* The first call of a program, when there is one thread.
 * @return false while the search itself is what calls us. */
static HIDDEN bool find_real(void)
{
    static _Atomic bool searching;
    if (atomic_exchange(&searching, true))
        return false;
    lookup("free", &real.free);
    lookup("calloc", &real.calloc);
    lookup("realloc", &real.realloc);
    lookup("memalign", &real.memalign);
    lookup("aligned_alloc", &real.aligned_alloc);
    lookup("posix_memalign", &real.posix_memalign);
    lookup("malloc", &real.malloc); /* last: it says that all are there */
    return real.malloc != NULL;
}

static inline bool ready(void)
{
    return __builtin_expect(real.malloc != NULL, 1) || find_real();
}

static unsigned log2_up(size_t n)
{
    return n <= 1 ? 0 : 64 - (unsigned)__builtin_clzl(n - 1);
}

static inline void *allocated(enum event_kind kind, void *p, size_t size,
                              size_t align, size_t elem)
{
    writer_put(p ? kind : EV_FAILED, p, size, log2_up(align), elem);
    return p;
}

void *malloc(size_t size)
{
    if (!ready())
        return early_alloc(size);
    return allocated(EV_MALLOC, real.malloc(size), size, 0, 0);
}

void *calloc(size_t n, size_t size)
{
    if (!ready())
        return size && n > EARLY_SIZE / size ? NULL : early_alloc(n * size);
    void *p = real.calloc(n, size);
    return allocated(EV_CALLOC, p, p ? n * size : SIZE_MAX, 0, size);
}

void free(void *p)
{
    if (is_early(p) || !ready())
        return;
    writer_put(EV_FREE, p, 0, 0, 0);
    real.free(p);
}

static HIDDEN void *realloc_early(void *p, size_t size)
{
    size_t old = 0;
    if (p)
        memcpy(&old, (char *)p - EARLY_ALIGN, sizeof old);
    void *q = malloc(size);
    if (q && p)
        memcpy(q, p, old < size ? old : size);
    return q;
}

void *realloc(void *p, size_t size)
{
    if (!ready() || is_early(p))
        return realloc_early(p, size);
    if (!p)
        return allocated(EV_MALLOC, real.realloc(NULL, size), size, 0, 0);
    writer_put(EV_REALLOC_FROM, p, size, 0, 0);
    void *q = real.realloc(p, size);
    if (q)
        writer_put(EV_REALLOC_TO, q, size, 0, 0);
    else if (size)
        writer_put(EV_REALLOC_FAILED, p, size, 0, 0);
    return q; /* realloc(p, 0) that gives NULL has freed p: FROM says so */
}

void *reallocarray(void *p, size_t n, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(n, size, &total)) {
        writer_put(EV_FAILED, NULL, SIZE_MAX, 0, 0);
        errno = ENOMEM;
        return NULL;
    }
    return realloc(p, total);
}

void *memalign(size_t align, size_t size)
{
    if (!ready())
        return NULL;
    return allocated(EV_MEMALIGN, real.memalign(align, size), size, align, 0);
}

void *aligned_alloc(size_t align, size_t size)
{
    if (!ready())
        return NULL;
    void *p = real.aligned_alloc(align, size);
    return allocated(EV_MEMALIGN, p, size, align, 0);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    if (!ready())
        return ENOMEM;
    int err = real.posix_memalign(out, align, size);
    allocated(EV_MEMALIGN, err ? NULL : *out, size, align, 0);
    return err;
}

void *valloc(size_t size)
{
    return memalign((size_t)sysconf(_SC_PAGESIZE), size);
}

void *pvalloc(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, (size + page - 1) & ~(page - 1));
}

void free_sized(void *p, size_t size)
{
    (void)size;
    free(p);
}

void free_aligned_sized(void *p, size_t align, size_t size)
{
    (void)align;
    (void)size;
    free(p);
}

/* A program that never allocates has a log, too. */
__attribute__((constructor)) static void start(void)
{
    ready();
    writer_start();
}
