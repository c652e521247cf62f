/* can.c - is there a huge page to be had? Status 0: yes; 1: no, though the
 * kernel knows of them; 2: it does not. A line says why not.
 *
 *   can unasked    does a mapping have them that nobody asked for? */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE ((size_t)2 << 20)

/* KiB in huge pages, or in mappings that are to have them. */
static long huge_kib(long *asked)
{
    char line[512];
    long kib, size = 0, sum = 0;
    FILE *f = fopen("/proc/self/smaps", "r");
    *asked = 0;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "Size: %ld", &kib) == 1)
            size = kib;
        else if (sscanf(line, "AnonHugePages: %ld", &kib) == 1)
            sum += kib;
        else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg"))
            *asked += size;
    }
    if (f)
        fclose(f);
    return sum;
}

int main(int argc, char **argv)
{
    long asked;
    size_t size = 32 * HUGE;
    (void)argv;
    char *p = mmap(NULL, size + HUGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        return 2;
    if (argc > 1)
        return huge_kib(&asked) < 0 || asked * 1024 < (long)size;
    p += -(uintptr_t)p % HUGE;
    if (madvise(p, size, MADV_HUGEPAGE)) {
        puts("the kernel has no transparent huge pages");
        return 2;
    }
    memset(p, 1, size);
    if (huge_kib(&asked) * 1024 == (long)size)
        return 0;
    puts("the kernel's mode is `never`, or it finds no free huge pages");
    return 1;
}
