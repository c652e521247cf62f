/* fault.h - for programs that make one mistake with an allocator: each calls
 * wrong(p) and then gives p to it, where it must die with a line about p.
 *
 *   tests/faults/NAME ALLOCATOR     p on stdout; the allocator's line on stderr
 *   LD_PRELOAD=libmm-X.so tests/faults/NAME preloaded       the same of malloc
 */
#ifndef FAULT_H
#define FAULT_H

#include "mm.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t usable_preloaded(const void *p)
{
    return malloc_usable_size((void *)p);
}

static int nothing_to_start(void)
{
    return 0;
}

/* Whatever malloc is: mm_libc would ask it for sizes meanwhile. */
static const struct mm_allocator preloaded = {.name = "preloaded",
                                              .init = nothing_to_start,
                                              .malloc = malloc,
                                              .free = free,
                                              .realloc = realloc,
                                              .calloc = calloc,
                                              .usable_size = usable_preloaded};

static const struct mm_allocator *mm;

/* Makes the mistake; returns if the allocator did not notice. */
static void make_fault(void);

/* What follows is the mistake: it must die with p in its line. */
static inline void *wrong(void *p)
{
    printf("%p\n", p);
    fflush(stdout);
    return p;
}

/* Enough blocks of this size that the last ones lie in a slab, if sizes like it
 * ever do. @return the last */
static inline char *block_in_slab(size_t size)
{
    char *p = NULL;
    for (int i = 0; i < 1000; i++)
        p = mm->malloc(size);
    return p;
}

#define FAULT_FIND(it)                                                         \
    if (strcmp(argv[1], it.name) == 0)                                         \
        mm = &it;

int main(int argc, char **argv)
{
    static char buffer[BUFSIZ]; /* stdio shall not allocate meanwhile */
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    if (argc == 2) {
        FAULT_FIND(preloaded)
        MM_ALLOCATORS(FAULT_FIND)
    }
    if (!mm || mm->init()) {
        fprintf(stderr, "usage: %s ALLOCATOR\n", argv[0]);
        return 2;
    }
    make_fault();
    puts("survived");
    return 0;
}

#endif
