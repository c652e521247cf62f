/* conform.h - for programs that hold malloc to its contract, sentence by
 * sentence (docs/conformance.md), whatever library it comes from:
 *
 *   LD_PRELOAD=./libmm-arena.so build/tests/conformance/NAME
 *
 * Each contract runs in a process of its own, with a heap that nobody used
 * before, and prints `ok - C7 what it says`, or not ok and the line that
 * showed it. With CONFORM_FEW in the environment, what is done again and again
 * is done a few times (rounds). */
#ifndef CONFORM_H
#define CONFORM_H

/* mallinfo is, and is tested all the same. */
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

#include <errno.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of C23, and of old: weak, as not every C library has them to link with. */
__attribute__((weak)) void free_sized(void *p, size_t size);
__attribute__((weak)) void free_aligned_sized(void *p, size_t a, size_t size);
__attribute__((weak)) void cfree(void *p);

/* glibc's other names. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);
void *__libc_valloc(size_t size);
void *__libc_pvalloc(size_t size);
void __libc_free(void *p);
struct mallinfo __libc_mallinfo(void);
int __libc_mallopt(int param, int value);

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* Ends the contract unless it holds. */
#define demand(holds)                                                          \
    do {                                                                       \
        if (!(holds))                                                          \
            broken_at(__FILE__, __LINE__, #holds);                             \
    } while (0)

static inline _Noreturn void broken_at(const char *file, int line,
                                       const char *what)
{
    dprintf(STDOUT_FILENO, "# %s:%d: %s (errno %d)\n", file, line, what, errno);
    _exit(1);
}

/* How often a contract does what it does. */
static inline int rounds(int all, int few)
{
    return getenv("CONFORM_FEW") ? few : all;
}

static int contracts_broken;

/* text: "C1 what it says" */
static inline void contract(const char *text, void (*test)(void))
{
    int status = 1;
    pid_t child = fork();
    if (child == 0) {
        test();
        _exit(0);
    }
    waitpid(child, &status, 0);
    if (status == 0) {
        printf("ok - %s\n", text);
    } else {
        printf("not ok - %s: status %#x\n", text, status);
        contracts_broken = 1;
    }
    fflush(stdout);
}

/* The functions that make a block, called alike. */
struct maker {
    const char *name;
    void *(*make)(size_t size);
};

static inline void *by_calloc(size_t size)
{
    return calloc(1, size);
}

static inline void *by_calloc_bytes(size_t size)
{
    return calloc(size, 1);
}

static inline void *by_realloc(size_t size)
{
    return realloc(NULL, size);
}

static inline void *by_reallocarray(size_t size)
{
    return reallocarray(NULL, size, 1);
}

static inline void *by_aligned_alloc(size_t size)
{
    return aligned_alloc(16, size);
}

static inline void *by_aligned_alloc_page(size_t size)
{
    return aligned_alloc(4096, size);
}

static inline void *by_memalign(size_t size)
{
    return memalign(64, size);
}

static inline void *by_posix_memalign(size_t size)
{
    void *p = NULL;
    int error = posix_memalign(&p, 256, size);
    if (error)
        errno = error;
    return p;
}

void *pvalloc(size_t size); /* musl's headers do not have it */
#ifdef __GLIBC__
enum { GLIBC = 1 }; /* what only it promises is asked of it alone */
#else
enum { GLIBC = 0 };
#endif

static const struct maker makers[] = {
    {"malloc", malloc},
    {"calloc(1, n)", by_calloc},
    {"calloc(n, 1)", by_calloc_bytes},
    {"realloc(NULL, n)", by_realloc},
    {"reallocarray(NULL, n, 1)", by_reallocarray},
    {"aligned_alloc(16, n)", by_aligned_alloc},
    {"aligned_alloc(4096, n)", by_aligned_alloc_page},
    {"memalign(64, n)", by_memalign},
    {"posix_memalign(256, n)", by_posix_memalign},
    {"valloc", valloc},
    {"pvalloc", pvalloc},
};
#define NMAKERS (sizeof makers / sizeof makers[0])

/* From now on the process gets no more memory than this. */
static inline void limit_data(size_t bytes)
{
    struct rlimit limit = {bytes, RLIM_INFINITY};
    demand(setrlimit(RLIMIT_DATA, &limit) == 0);
}

/* Are all size bytes at p equal to byte? */
static inline bool filled(const void *p, size_t size, unsigned char byte)
{
    const unsigned char *bytes = p;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != byte)
            return false;
    return true;
}

static inline bool aligned(const void *p, size_t align)
{
    return (uintptr_t)p % align == 0;
}

#endif
