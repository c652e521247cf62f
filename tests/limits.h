/* limits.h - for tests that run out of memory on purpose. */
#ifndef TESTS_LIMITS_H
#define TESTS_LIMITS_H

#include "tests/sanitized.h"

#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

/* A figure of /proc/self/status, such as "VmData", in bytes. */
static inline size_t process_bytes(const char *name)
{
    char line[128];
    size_t kib = 0, n = strlen(name);
    FILE *f = fopen("/proc/self/status", "r");
    ck_assert_ptr_nonnull(f);
    while (fgets(line, sizeof line, f))
        if (strncmp(line, name, n) == 0 && line[n] == ':')
            sscanf(line + n + 1, "%zu", &kib);
    fclose(f);
    ck_assert_uint_gt(kib, 0);
    return kib << 10;
}

/* For who counts resident bytes: where the system makes huge pages by itself, a
 * byte that is written counts 2 MiB at once, or when the kernel comes by. */
static inline void small_pages(void)
{
    prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
}

static inline void set_limit(int resource, size_t bytes)
{
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = RLIM_INFINITY};
    ck_assert_int_eq(getrlimit(resource, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(resource, &limit), 0);
}

/* Does the system keep limits? qemu-user (7.2) takes those of memory, and keeps
 * none of them. It says so. (A limit of 0 the kernel does not keep either, for
 * valgrind's sake.) */
static inline bool limits_hold(void)
{
    struct rlimit before;
    ck_assert_int_eq(getrlimit(RLIMIT_DATA, &before), 0);
    set_limit(RLIMIT_DATA, 4096);
    void *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set_limit(RLIMIT_DATA, before.rlim_cur);
    if (p == MAP_FAILED)
        return true;
    munmap(p, 1 << 20);
    printf("# no limit of memory holds here\n");
    return false;
}

/* Is this qemu-user? A thread costs milliseconds there, and one in the child of
 * a process that has several ends qemu itself. What is resident, and each page
 * fault, may be qemu's own: it needs 6 MiB, a page for some code that is new,
 * 24 bytes for each page of the program's that is mapped, and these anew for
 * each mremap, which always moves. */
static inline bool emulated(void)
{
    return !SANITIZED && !limits_hold();
}

/* From now on the process may map this much more address space... */
static inline void limit_addresses(size_t more)
{
    set_limit(RLIMIT_AS, process_bytes("VmSize") + more);
}

/* ... or have this much more writable memory. */
static inline void limit_data(size_t more)
{
    set_limit(RLIMIT_DATA, process_bytes("VmData") + more);
}

/* Page faults of this process so far. */
static inline size_t faults(void)
{
    struct rusage usage;
    ck_assert_int_eq(getrusage(RUSAGE_SELF, &usage), 0);
    return (size_t)usage.ru_minflt;
}

#endif
