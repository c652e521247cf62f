/* always.c - as if the kernel's mode for huge pages were `always`: loaded
 * before an allocator, it asks for them for all that is mapped, whoever maps
 * it. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

void *mmap(void *at, size_t size, int protection, int flags, int fd,
           off_t offset)
{
    void *p =
        (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
    if (p != MAP_FAILED && flags & MAP_ANONYMOUS)
        madvise(p, size, MADV_HUGEPAGE);
    return p;
}
