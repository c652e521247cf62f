/* fault.h - for programs that make one mistake with an allocator: each calls
 * wrong(p) and then gives p to it, where it must die with a line about p.
 *
 *   tests/faults/NAME ALLOCATOR     p on stdout; the allocator's line on stderr
 */
#ifndef FAULT_H
#define FAULT_H

#include "mm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

/* Enough blocks of this size that the last ones lie in a run, if sizes like it
 * ever do. @return the last */
static inline char *block_in_run(size_t size)
{
    char *p = NULL;
    for (int i = 0; i < 200; i++)
        p = mm->malloc(size);
    return p;
}

#define FAULT_FIND(it)                                                         \
    if (strcmp(argv[1], it.name) == 0)                                         \
        mm = &it;

int main(int argc, char **argv)
{
    if (argc == 2) {
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
