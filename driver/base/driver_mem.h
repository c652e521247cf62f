/* driver_mem.h - the driver's own memory, from mmap and never from malloc.
 *
 * libc's malloc is itself under test: a trace or a table in its heap would
 * count as its memory, and a corrupting allocator could damage our records.
 * So everything in driver/ that outlives a function comes from here. */
#ifndef DRIVER_MEM_H
#define DRIVER_MEM_H

#include <stddef.h>

/** Zeroed memory, 64-byte aligned. Never NULL: prints one line and exits
 * with status 3 when the system has none left. Thread-safe. */
void *driver_mem_alloc(size_t size);
/** As driver_mem_alloc, in a mapping that a forked child shares with its
 * parent.
 * @param fd  for driver_mem_attach, in a child that is started by exec. */
void *driver_mem_shared(size_t size, int *fd);
/** The memory behind fd, in another process than driver_mem_shared's. */
void *driver_mem_attach(int fd);
/** Give back what any of them returned; NULL does nothing. */
void driver_mem_free(void *p);
char *driver_mem_strdup(const char *s);

#endif
