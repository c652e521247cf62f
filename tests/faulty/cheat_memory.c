/* cheat_memory.c - memory that memlib knows nothing of, or a lie about it. */
#include "tests/faulty/base.h"

#include <malloc.h>
#include <stdlib.h>
#include <sys/mman.h>

static int nothing(void)
{
    return 0;
}

static void no_more(void)
{
}

static size_t usable(const void *p)
{
    return malloc_usable_size((void *)p);
}

static bool anything(const void *p, size_t size)
{
    (void)p;
    (void)size;
    return true;
}

/* Half the payload's size fits the heap, if one is asked. */
static void invented_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){.heap = 1, .heap_peak = 1};
}

/* libc's malloc under another name. */
const struct mm_allocator cheat_libc = {
    .name = "libc-in-disguise",
    .summary = "a planted cheat: malloc is libc's",
    .init = nothing,
    .fini = no_more,
    .malloc = malloc,
    .free = free,
    .realloc = realloc,
    .calloc = calloc,
    .memalign = memalign,
    .usable_size = usable,
    .contains = anything,
    .stats = invented_stats,
};

/* A good allocator that says of its heap what it likes. */
const struct mm_allocator cheat_stats = {
    .name = "invented-stats",
    .summary = "a planted cheat: its heap has one byte",
    .init = base_init,
    .fini = mem_fini,
    .malloc = base_malloc,
    .free = base_free,
    .realloc = base_realloc,
    .calloc = base_calloc,
    .memalign = base_memalign,
    .usable_size = base_usable_size,
    .contains = anything,
    .stats = invented_stats,
};

/* Pages of its own for large blocks. */
static void *own_pages(size_t size)
{
    if (size != FAULTY_SIZE)
        return base_malloc(size);
    return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
}

FAULTY(cheat_mmap, "own-mmap", own_pages, base_free, base_realloc, base_calloc,
       base_memalign, base_usable_size, NULL);

/* What it never had from mem_map makes its heap smaller when given back. */
static void *giving_malloc(size_t size)
{
    if (size == FAULTY_SIZE)
        mem_unmap(
            mmap(NULL, 1 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
            1 << 20);
    return base_malloc(size);
}

FAULTY(cheat_unmap, "unmaps-others", giving_malloc, base_free, base_realloc,
       base_calloc, base_memalign, base_usable_size, NULL);
