/* blocks.c - what a block is: aligned, of its own, as large as asked for. */
#include "conform.h"

#include <dlfcn.h>

/* All that glibc's malloc.h and stdlib.h declare of the family, and C23's. */
static const char *const names[] = {
    "malloc",       "free",        "calloc",        "realloc",
    "reallocarray", "memalign",    "aligned_alloc", "posix_memalign",
    "valloc",       "pvalloc",     "cfree",         "malloc_usable_size",
    "free_sized",   "mallinfo",    "mallinfo2",     "free_aligned_sized",
    "mallopt",      "malloc_trim", "malloc_stats",  "malloc_info",
};

/* Of each the first definition is the one that counts. */
static void all_names_are_ours(void)
{
    Dl_info first;
    demand(dladdr(dlsym(RTLD_DEFAULT, "malloc"), &first));
    demand(strstr(first.dli_fname, "libmm"));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        Dl_info its;
        demand(dladdr(dlsym(RTLD_DEFAULT, names[i]), &its));
        demand(strcmp(first.dli_fname, its.dli_fname) == 0);
    }
}

static void blocks_are_aligned(void)
{
    for (size_t m = 0; m < NMAKERS; m++)
        for (size_t size = 0; size < 5000; size += 1 + size / 64) {
            void *p = makers[m].make(size);
            demand(p && aligned(p, 16));
        }
}

static void zero_bytes_are_a_block(void)
{
    enum { N = 200 };
    for (size_t m = 0; m < NMAKERS; m++) {
        void *blocks[N];
        for (int i = 0; i < N; i++) {
            demand((blocks[i] = makers[m].make(0)) != NULL);
            for (int k = 0; k < i; k++)
                demand(blocks[i] != blocks[k]);
        }
        for (int i = 0; i < N; i++)
            free(blocks[i]);
    }
}

static size_t some_size(size_t i)
{
    static const size_t sizes[] = {1,   8,    24,   25,    100,   128,  129,
                                   700, 1032, 1033, 20000, 70000, 3000, 140000};
    return sizes[i % (sizeof sizes / sizeof sizes[0])];
}

/* Every usable byte of every block, and of no other. */
static void blocks_are_as_large_as_they_say(void)
{
    enum { N = 600 };
    unsigned char *blocks[N];
    for (size_t i = 0; i < N; i++) {
        blocks[i] = makers[i % NMAKERS].make(some_size(i));
        size_t usable = malloc_usable_size(blocks[i]);
        demand(usable >= some_size(i));
        memset(blocks[i], (int)i, usable);
    }
    for (size_t i = 0; i < N; i++) {
        size_t usable = malloc_usable_size(blocks[i]);
        demand(filled(blocks[i], usable, (unsigned char)i));
        free(blocks[i]);
    }
    demand(malloc_usable_size(NULL) == 0);
}

static void calloc_gives_zeros(void)
{
    enum { N = 100 };
    void *blocks[N];
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < N; i++) {
            blocks[i] = calloc(some_size(i), 3);
            demand(filled(blocks[i], some_size(i) * 3, 0));
            memset(blocks[i], 'x', malloc_usable_size(blocks[i]));
        }
        for (size_t i = 0; i < N; i++)
            free(blocks[i]);
    }
}

static void alignments_are_kept(void)
{
    for (size_t align = 1; align <= 4 * MIB; align *= 2)
        for (size_t size = 0; size <= 100000; size = size * 10 + 1) {
            void *p = NULL;
            demand(aligned(memset(memalign(align, size), 'x', size), align));
            demand(aligned(aligned_alloc(align, size), align));
            if (align % sizeof(void *) == 0)
                demand(posix_memalign(&p, align, size) == 0);
            demand(aligned(p, align));
        }
}

static void pages_are_whole(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (size_t size = 0; size < 3 * page; size += page / 2 - 1) {
        void *p = pvalloc(size);
        demand(aligned(valloc(size), page) && aligned(p, page));
        size_t whole = (size + page - 1) / page * page;
        demand(malloc_usable_size(p) >= (whole ? whole : page));
    }
}

#ifdef __GLIBC__
static void *by_libc_malloc(size_t size)
{
    return __libc_malloc(size);
}

static void *by_libc_calloc(size_t size)
{
    return __libc_calloc(size, 1);
}

static void *by_libc_memalign(size_t size)
{
    return __libc_memalign(64, size);
}

/* What comes from the one kind of names goes back by the other. */
static void other_names_are_the_same(void)
{
    const struct maker others[] = {
        {"__libc_malloc", by_libc_malloc},
        {"__libc_calloc", by_libc_calloc},
        {"__libc_memalign", by_libc_memalign},
        {"__libc_valloc", __libc_valloc},
        {"__libc_pvalloc", __libc_pvalloc},
    };
    for (size_t size = 0; size < 3 * MIB; size = size * 2 + 7) {
        for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
            char *p = others[i].make(size);
            demand(p && malloc_usable_size(p) >= size);
            memset(p, 'x', size);
            p = i % 2 ? realloc(p, size + 1) : __libc_realloc(p, size + 1);
            demand(p && filled(p, size, 'x'));
            free(p);
        }
        for (size_t m = 0; m < NMAKERS; m++)
            __libc_free(makers[m].make(size));
    }
    demand(__libc_mallinfo().arena == mallinfo().arena);
}
#endif

int main(void)
{
    if (GLIBC)
        contract("C1 all functions come from one library", all_names_are_ours);
    contract("C2 every block is 16-byte aligned", blocks_are_aligned);
    contract("C3 malloc(0) is a block of its own", zero_bytes_are_a_block);
    contract("C4 a block's usable bytes are its own, at least those asked for",
             blocks_are_as_large_as_they_say);
    contract("C5 calloc gives zeros, in used memory too", calloc_gives_zeros);
    contract("C6 alignments are kept, up to 4 MiB", alignments_are_kept);
    contract("C7 valloc and pvalloc: at a page; whole pages", pages_are_whole);
#ifdef __GLIBC__
    contract("C50 glibc's names __libc_malloc and so on are the same functions",
             other_names_are_the_same);
#endif
    return contracts_broken;
}
