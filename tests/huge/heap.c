/* heap.c - a heap of blocks, and what the kernel has made of its pages.
 *
 *   heap MIB SIZE TOUCHED [THEN]
 *
 * Allocates MIB of blocks of SIZE bytes and writes the first TOUCHED of each.
 * Then it may
 *     scatter  free every 500th block, and call malloc_trim
 *     run      free blocks that lie side by side, half of 2 MiB together, at
 *              each tenth of the heap, and call malloc_trim
 *     all      free all, and call malloc_trim
 *     fork     go on in a child that writes to every 500th block
 *     grow     begin with a block of SIZE bytes, by realloc 1 MiB longer each
 *              time
 *     turn     free one block and allocate one of up to 3 times its size, each
 *              in turn, several times
 *     limit    go on allocating until there is no memory; MIB is not looked at
 * and prints a line, with MALLOPT_HUGE=N after mallopt(MM_HUGE, N): KiB that
 * are resident, in huge pages, in mappings that may have them (VmFlags: hg),
 * and the number of mappings; or for limit MiB that could be had. */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct sums {
    long resident, huge, may, mappings;
};

/* Of what is mapped. */
static struct sums sums_read(void)
{
    char line[512];
    long size = 0, kib;
    struct sums s = {0, 0, 0, 0};
    FILE *f = fopen("/proc/self/smaps", "r");
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "Size: %ld", &kib) == 1) {
            size = kib;
            s.mappings++;
        } else if (sscanf(line, "Rss: %ld", &kib) == 1) {
            s.resident += kib;
        } else if (sscanf(line, "AnonHugePages: %ld", &kib) == 1) {
            s.huge += kib;
        } else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " hg")) {
            s.may += size;
        }
    }
    if (f)
        fclose(f);
    return s;
}

static void print_sums(void)
{
    struct sums s = sums_read();
    printf("%ld %ld %ld %ld\n", s.resident, s.huge, s.may, s.mappings);
}

static void free_some(char **blocks, size_t n, size_t size, char how)
{
    size_t step = how == 'a' ? 1 : how == 's' ? 500 : n / 10;
    size_t run = how == 'r' ? ((size_t)1 << 20) / size : 1;
    for (size_t i = 0; i + run <= n; i += step)
        for (size_t k = i; k < i + run; k++)
            free(blocks[k]);
    malloc_trim(0);
}

static int go_on_in_child(char **blocks, size_t n)
{
    int status;
    if (fork() != 0)
        return wait(&status) < 0 || status != 0;
    for (size_t i = 0; i < n; i += 500)
        blocks[i][0]++;
    print_sums();
    return 0;
}

static int allocate_all(size_t size)
{
    size_t n = 0;
    while (malloc(size))
        n++;
    printf("%zu\n", n * size >> 20);
    return 0;
}

/* Blocks of size to 3 times as many bytes come and go, all written. */
static void take_turns(char **blocks, size_t n, size_t size)
{
    for (size_t i = 0; i < 8 * n; i++) {
        char **b = &blocks[i * 7 % n];
        size_t next = size + i * 5 % 16 * (size / 8);
        free(*b);
        *b = malloc(next);
        memset(*b, 1, next);
    }
}

/* One block that grows to this size. */
static char *grown(size_t size, size_t most)
{
    char *p = malloc(size);
    memset(p, 1, size);
    for (size_t step = (size_t)1 << 20; size < most; size += step) {
        p = realloc(p, size + step);
        memset(p + size, 1, step);
    }
    return p;
}

int main(int argc, char **argv)
{
    const char *value = getenv("MALLOPT_HUGE");
    if (value && !mallopt(-1003, atoi(value)))
        return 3;
    if (argc < 4)
        return 2;
    size_t size = strtoul(argv[2], NULL, 10);
    size_t touched = strtoul(argv[3], NULL, 10);
    size_t n = (strtoul(argv[1], NULL, 10) << 20) / size;
    char how = argc > 4 ? argv[4][0] : 0;
    if (how == 'l')
        return allocate_all(size);
    if (how == 'g') {
        char *p = grown(size, n * size);
        print_sums();
        return p[0] == 0;
    }
    char **blocks = malloc(n * sizeof *blocks);
    for (size_t i = 0; i < n; i++) {
        blocks[i] = malloc(size);
        memset(blocks[i], 1, touched);
    }
    if (how == 'f')
        return go_on_in_child(blocks, n);
    if (how == 't')
        take_turns(blocks, n, size);
    else if (how)
        free_some(blocks, n, size, how);
    print_sums();
    return 0;
}
