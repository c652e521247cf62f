/* check_8.c - is lesson 8 solved: do pages of free blocks go back? Calls of
 * mem_purge come by here (--wrap), to be counted. */
#include "course/checks/speed.h"

#define BLOCKS 640
#define BLOCK 100000
#define RETURNS 2000

size_t __real_mem_purge(void *p, size_t size);
size_t __wrap_mem_purge(void *p, size_t size);

static size_t npurges;
static unsigned char *blocks[BLOCKS];

size_t __wrap_mem_purge(void *p, size_t size)
{
    npurges++;
    return __real_mem_purge(p, size);
}

/* Bytes of this process in memory. */
static size_t resident(void)
{
    size_t pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    EXPECT(f && fscanf(f, "%*u %zu", &pages) == 1,
           "/proc/self/statm cannot be read");
    fclose(f);
    return pages * mem_pagesize();
}

static void fill(void)
{
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = get(BLOCK);
        memset(blocks[i], i % 251, BLOCK);
    }
}

/* Frees all but one in `keep`; what was written then, and what is resident
 * now beyond what is kept. */
static void shrink(int keep, double most)
{
    begin();
    size_t before = resident();
    fill();
    size_t written = resident() - before, kept = 0;
    for (int i = 0; i < BLOCKS; i++)
        if (keep && i % keep == 0)
            kept += BLOCK;
        else
            mm_mine.free(blocks[i]);
    check_heap();
    size_t now_resident = resident();
    double left = now_resident < before + kept
                      ? 0
                      : (double)(now_resident - before - kept);
    EXPECT(left < most * (double)written,
           "%d blocks of %d bytes were written, %zu bytes are still in use, "
           "and beside them %.0f bytes of %zu are resident",
           BLOCKS, BLOCK, kept, left, written);
}

static void all_goes_back(void)
{
    shrink(0, 0.25);
}

static void between_blocks_too(void)
{
    shrink(10, 0.35);
    for (int i = 0; i < BLOCKS; i += 10)
        for (int k = 0; k < BLOCK; k++)
            EXPECT(blocks[i][k] == i % 251,
                   "byte %d of a live block has changed", k);
}

static void what_went_back_serves_again(void)
{
    shrink(3, 0.5);
    size_t before = mem_heapsize();
    for (int i = 0; i < BLOCKS; i++)
        if (i % 3)
            memset(blocks[i] = get(BLOCK), 7, BLOCK);
    EXPECT(mem_heapsize() == before,
           "blocks were freed and allocated again, and the heap has grown");
    check_heap();
}

static void a_block_that_comes_and_goes(void)
{
    begin();
    npurges = 0;
    for (int i = 0; i < RETURNS; i++) {
        char *p = get(200000);
        p[0] = p[199999] = 1;
        mm_mine.free(p);
        get(200);
    }
    EXPECT(npurges * 3 < RETURNS,
           "a block of 200000 bytes is allocated and freed %d times, for which "
           "there are %zu calls of mem_purge",
           RETURNS, npurges);
}

int main(void)
{
    const struct check checks[] = {
        LESSON_3,
        {"what is all free goes back", all_goes_back},
        {"what is free between live blocks goes back", between_blocks_too},
        {"what went back serves again", what_went_back_serves_again},
        {"a block that comes and goes costs few system calls",
         a_block_that_comes_and_goes},
    };
    return check_all(checks, COUNT(checks));
}
