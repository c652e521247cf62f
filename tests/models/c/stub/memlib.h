/* memlib.h - as much of memlib as the headers under the checker call. */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stdbool.h>
#include <stddef.h>

struct mem_range {
    size_t size;
    void *process;
    bool no_barrier;
    char *records;
};
extern struct mem_range mem_range;

int mem_init(void);
bool mem_barrier(void);
void *mem_record(size_t size);

#endif
