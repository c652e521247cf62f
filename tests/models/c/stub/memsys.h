/* memsys.h - the kernel, as a driver has it. */
#ifndef STUB_MEMSYS_H
#define STUB_MEMSYS_H

#include "memlib.h"

#include <sys/mman.h>

void *sys_mmap(void *at, size_t size, int protection, int flags);
int sys_munmap(void *at, size_t size);

#define NAME_HEAP ""
#define NAME_RECORDS ""

static inline void sys_name(void *p, size_t size, const char *name)
{
    (void)p, (void)size, (void)name;
}

#endif
