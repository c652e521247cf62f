/* memlib.h - as much of memlib as the headers under the checker call. */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_GRAIN_LOG2 12

struct mem_page {
    uint32_t tag;
    uint16_t room, carved;
    void *free;
    uint32_t next, prev;
    uint16_t listed, units;
    uint32_t inverse;
};

struct mem_range {
    char *base;
    size_t size;
    struct mem_page *pages;
    void *process;
    bool no_barrier;
    char *records;
};
extern struct mem_range mem_range;

int mem_init(void);
bool mem_barrier(void);
void *mem_record(size_t size);

#endif
