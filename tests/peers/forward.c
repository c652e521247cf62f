/* forward.c - a library that replaces malloc by the C library's own, for the
 * end-to-end tests to preload. It adds nothing, but with
 *
 *   -DFAULT=STATEMENT  a malloc of 777 bytes does that first
 *   -DDAMAGE=SIZE      a malloc of SIZE bytes changes the last byte of the
 * block that the one before it gave, if that is live -DPARTIAL          it has
 * no malloc_usable_size */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

#define FAULTY_SIZE 777
#ifndef FAULT
#define FAULT (void)0
#endif
#ifndef DAMAGE
#define DAMAGE 0
#endif

void *__libc_malloc(size_t size);
void __libc_free(void *p);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t size);
void *__libc_memalign(size_t align, size_t size);

static unsigned char *last;

void *malloc(size_t size)
{
    if (size == FAULTY_SIZE) {
        FAULT;
    }
    unsigned char *p = __libc_malloc(size);
    if (DAMAGE && size == DAMAGE) {
        if (last)
            last[DAMAGE - 1] ^= 1;
        last = p;
    }
    return p;
}

void free(void *p)
{
    if (p == last)
        last = NULL;
    __libc_free(p);
}

void *calloc(size_t n, size_t size)
{
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
    return __libc_realloc(p, size);
}

int posix_memalign(void **out, size_t align, size_t size)
{
    *out = __libc_memalign(align, size);
    return *out ? 0 : ENOMEM;
}

#ifndef PARTIAL
/* Of what glibc writes before a block: the chunk's size, and three flags. */
size_t malloc_usable_size(void *p)
{
    size_t chunk = p ? ((size_t *)p)[-1] : 0;
    return p ? (chunk & ~(size_t)7) - (chunk & 2 ? 16 : 8) : 0;
}
#endif
