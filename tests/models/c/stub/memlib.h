/* memlib.h - as much of memlib as the headers under the checker call. */
#ifndef MEMLIB_H
#define MEMLIB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MEM_GRAIN_LOG2 12

#include "extracted_page.h" /* struct mem_page */

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
