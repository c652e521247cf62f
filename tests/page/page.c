/* page.c - the system's pages have FAKE_PAGE bytes: a library to be preloaded.
 *
 *   FAKE_PAGE=65536 LD_PRELOAD=build/tests/page/page.so PROGRAM
 *
 * memlib, the driver and the tests ask sysconf for the size and map through the
 * C library's names, so these stand before those, and behave as Linux does
 * where pages are larger than here: a place that is no multiple of a page is
 * refused, a length is rounded up, and a mapping begins at a page. What the
 * kernel says by itself (resident bytes, faults) stays in small pages. */
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define REAL 4096 /* bytes of a page of this machine's */
#define EXPORT __attribute__((visibility("default")))

static size_t page_size(void)
{
    static size_t size;
    if (!size) {
        const char *said = getenv("FAKE_PAGE");
        char *end = "";
        size_t n = said ? strtoul(said, &end, 10) : REAL;
        if (*end || (n != REAL && n != 16384 && n != 65536)) {
            static const char why[] = "page.so: FAKE_PAGE is no page size; "
                                      "expected 4096, 16384 or 65536\n";
            (void)!write(2, why, sizeof why - 1);
            _exit(2);
        }
        size = n;
    }
    return size;
}

static bool is_page(const void *p)
{
    return (uintptr_t)p % page_size() == 0;
}

/* 0: too much */
static size_t up(size_t size)
{
    return (size + page_size() - 1) & ~(page_size() - 1);
}

static bool refused(const void *p, size_t size)
{
    if (is_page(p) && (up(size) || !size))
        return false;
    errno = EINVAL;
    return true;
}

static void *map(void *at, size_t size, int protection, int flags, int fd,
                 off_t offset)
{
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

/* Addresses for size bytes that begin at a page, and nothing there yet. */
static char *reserve(size_t size)
{
    size_t page = page_size();
    char *p = MAP_FAILED;
    errno = ENOMEM;
    if (size + page > size)
        p = map(NULL, size + page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                0);
    if (p == MAP_FAILED)
        return p;
    size_t lead = -(uintptr_t)p & (page - 1);
    if (lead)
        syscall(SYS_munmap, p, lead);
    syscall(SYS_munmap, p + lead + size, page - lead);
    return p + lead;
}

EXPORT void *mmap(void *at, size_t size, int protection, int flags, int fd,
                  off_t offset)
{
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if ((fixed && refused(at, size)) || refused((void *)offset, 0))
        return MAP_FAILED;
    size_t bytes = up(size);
    if (!bytes || fixed)
        return map(at, bytes ? bytes : size, protection, flags, fd, offset);
    char *p = map(at, bytes, protection, flags, fd, offset);
    if (p == MAP_FAILED || is_page(p))
        return p;
    syscall(SYS_munmap, p, bytes);
    p = reserve(bytes);
    return p == MAP_FAILED
               ? p
               : map(p, bytes, protection, flags | MAP_FIXED, fd, offset);
}

/* What a program with _FILE_OFFSET_BITS=64 calls; off_t has 64 bits here. */
EXPORT void *mmap64(void *at, size_t size, int protection, int flags, int fd,
                    off64_t offset)
{
    return mmap(at, size, protection, flags, fd, offset);
}

EXPORT int munmap(void *p, size_t size)
{
    return refused(p, size) ? -1 : (int)syscall(SYS_munmap, p, up(size));
}

EXPORT void *mremap(void *p, size_t old, size_t new, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    void *to = flags & MREMAP_FIXED ? va_arg(rest, void *) : NULL;
    va_end(rest);
    if (refused(p, old) || refused(to, new))
        return MAP_FAILED;
    old = up(old), new = up(new);
    if (flags != MREMAP_MAYMOVE)
        return (void *)syscall(SYS_mremap, p, old, new, flags, to);
    void *q = (void *)syscall(SYS_mremap, p, old, new, 0);
    if (q != MAP_FAILED)
        return q;
    to = reserve(new);
    return to == MAP_FAILED ? to
                            : (void *)syscall(SYS_mremap, p, old, new,
                                              flags | MREMAP_FIXED, to);
}

EXPORT int madvise(void *p, size_t size, int advice)
{
    return refused(p, size) ? -1
                            : (int)syscall(SYS_madvise, p, up(size), advice);
}

EXPORT int mprotect(void *p, size_t size, int protection)
{
    return refused(p, size)
               ? -1
               : (int)syscall(SYS_mprotect, p, up(size), protection);
}

/* A page is in memory if any part of it is. */
EXPORT int mincore(void *p, size_t size, unsigned char *in)
{
    if (refused(p, size))
        return -1;
    for (size_t i = 0; i < up(size) / page_size(); i++) {
        unsigned char parts[1 << 8];
        size_t bytes = page_size(), n = bytes / REAL;
        if (syscall(SYS_mincore, (char *)p + i * bytes, bytes, parts) != 0)
            return -1;
        for (in[i] = 0; n; n--)
            in[i] |= parts[n - 1];
    }
    return 0;
}

EXPORT int getpagesize(void)
{
    return (int)page_size();
}

/* As little memory as the kernel says, in larger pages. */
EXPORT long sysconf(int name)
{
    extern long __sysconf(int);
    if (name == _SC_PAGESIZE)
        return (long)page_size();
    long real = __sysconf(name);
    return name == _SC_PHYS_PAGES || name == _SC_AVPHYS_PAGES
               ? real / (long)(page_size() / REAL)
               : real;
}
