/* driver_mem.c - the driver's own memory: one mapping per allocation.
 *
 *   mapping |-- struct head, 64 bytes --|-- what the caller got -----------|
 *                 ^ length and a mark         ^ 64-byte aligned, zeroed
 *
 * A page and a system call for each is dear, and does not matter: the driver
 * allocates tables, not nodes, and none of it in the timed part.
 *
 * Invariants
 *   D1 every pointer handed out lies 64 bytes behind a page-aligned head
 *   D2 head.length is the whole mapping's; head.mark tells ours from others' */
#include "driver/base/driver_mem.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define DMEM_ALIGN 64
#define DMEM_MARK UINT64_C(0x646d656d68656164) /* "dmemhead" */
#define DMEM_EXIT 3

struct head {
    uint64_t mark;
    size_t length;
} __attribute__((aligned(DMEM_ALIGN)));

_Static_assert(sizeof(struct head) == DMEM_ALIGN, "D1");

static _Noreturn void die(const char *what)
{
    /* No stream: its buffer would come from malloc. */
    char line[160];
    int n = snprintf(line, sizeof line, "mdriver: %s\n", what);
    ssize_t written = write(STDERR_FILENO, line, (size_t)n);
    (void)written; /* if stderr is gone, the exit status still says it */
    _exit(DMEM_EXIT);
}

static struct head *map(size_t length, int flags, int fd)
{
    struct head *h = mmap(NULL, length, PROT_READ | PROT_WRITE, flags, fd, 0);
    if (h == MAP_FAILED)
        die("out of memory for the driver's own tables: use fewer or "
            "smaller traces, or fewer threads");
    return h;
}

static size_t with_head(size_t size)
{
    size_t length;
    if (__builtin_add_overflow(size, sizeof(struct head), &length))
        die("out of memory: the driver asked for more than addresses exist");
    return length;
}

void *driver_mem_alloc(size_t size)
{
    size_t length = with_head(size);
    struct head *h = map(length, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    *h = (struct head){DMEM_MARK, length};
    return h + 1;
}

void *driver_mem_shared(size_t size, int *fd)
{
    size_t length = with_head(size);
    *fd = memfd_create("mdriver", MFD_CLOEXEC);
    if (*fd < 0 || ftruncate(*fd, (off_t)length) != 0)
        die("no memory can be had that processes share (memfd_create)");
    struct head *h = map(length, MAP_SHARED, *fd);
    *h = (struct head){DMEM_MARK, length};
    return h + 1;
}

void *driver_mem_attach(int fd)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct head))
        die("bug: driver_mem_attach of a file that is none of "
            "driver_mem_shared's");
    return map((size_t)st.st_size, MAP_SHARED, fd) + 1;
}

void driver_mem_free(void *p)
{
    if (!p)
        return;
    struct head *h = (struct head *)p - 1;
    if (h->mark != DMEM_MARK)
        die("bug: driver_mem_free of a pointer that driver_mem did not hand "
            "out");
    munmap(h, h->length);
}

char *driver_mem_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    return memcpy(driver_mem_alloc(n), s, n);
}
