/* live.c - what an operation costs beside so much live memory: e2e_scale.py,
 * scripts/scale.py.
 *
 *   live MIB OPERATIONS    blocks of 16 bytes to 32 KiB, MIB in all, live; then
 *                          each operation frees one of them, any, and allocates
 *                          one of another size in its place
 *
 * On standard output: nanoseconds an operation; of a read and a write of any
 * two live blocks, which is what the program's own use of them costs at least;
 * and MiB that are live. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t state = 1;
static char **blocks;
static size_t nblocks, bytes;

static size_t any(size_t most)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (size_t)((unsigned __int128)state * most >> 64);
}

/* Most are small, most bytes are in large ones: each doubling has as many
 * bytes, and half of the blocks of the one before. */
static size_t any_size(void)
{
    unsigned top = 4;
    while (top < 14 && any(2))
        top++;
    return ((size_t)1 << top) + any((size_t)1 << top);
}

static char *make(void)
{
    size_t size = any_size();
    char *p = malloc(size);
    if (!p)
        abort();
    for (size_t i = 0; i < size; i += 4096)
        p[i] = 1;
    bytes += size;
    return p;
}

__attribute__((noinline)) void operations(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char **p = &blocks[any(nblocks)];
        free(*p);
        *p = malloc(any_size());
        **p = 1;
    }
}

__attribute__((noinline)) void touches(size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char *from = blocks[any(nblocks)];
        *blocks[any(nblocks)] += *from;
        any_size();
    }
}

static double timed(void (*work)(size_t), size_t n)
{
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    work(n);
    clock_gettime(CLOCK_MONOTONIC, &b);
    return ((double)(b.tv_sec - a.tv_sec) * 1e9 +
            (double)(b.tv_nsec - a.tv_nsec)) /
           (double)n;
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 2;
    size_t want = (size_t)atol(argv[1]) << 20, n = (size_t)atol(argv[2]);
    size_t most = want / 64 + 1000;
    blocks = malloc(most * sizeof *blocks);
    while (bytes < want && nblocks < most)
        blocks[nblocks++] = make();
    operations(nblocks < n ? nblocks : n); /* as scattered as in use */
    double operation = timed(operations, n), touch = timed(touches, n);
    printf("%.1f %.1f %zu\n", operation, touch, bytes >> 20);
    return 0;
}
