/* arena_memory.h - what was resident at most in a test of the arena stage. Each
 * test is a process of its own; its bound is for all of it, as VmHWM says.
 * SHOW_PEAKS=1 prints the figures. */
#ifndef TESTS_ARENA_MEMORY_H
#define TESTS_ARENA_MEMORY_H

#include "memlib.h"
#include "tests/arena_variants.h"

#include <stdio.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* The most bytes that were resident at once in this process. */
static inline size_t resident_peak(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(f);
    char line[256];
    size_t kib = 0;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "VmHWM: %zu kB", &kib) == 1)
            break;
    fclose(f);
    ck_assert_uint_gt(kib, 0);
    return kib * KIB;
}

/* What is no whole page does not go back: half as much again if they are large.
 */
static inline void ck_peak(const char *what, size_t bound)
{
    size_t peak = resident_peak();
    bound += mem_pagesize() > 16 * KIB ? bound / 2 : 0;
    if (getenv("SHOW_PEAKS"))
        printf("%-16s %-40s %6.1f MiB of %zu\n", lab->name, what,
               (double)peak / (double)MIB, bound / MIB);
    if (!SANITIZED)
        ck_assert_msg(peak < bound, "%zu KiB were resident, the bound is %zu",
                      peak / KIB, bound / KIB);
}

static inline void *touched(size_t size)
{
    char *p = lab->malloc(size);
    demand(p);
    return memset(p, 'x', size);
}

#endif
