/* resize.c - realloc: makes, keeps, frees. */
#include "conform.h"

static void null_is_malloc_and_zero_is_free(void)
{
    limit_data(512 * MIB);
    for (int i = 0; i < 100000; i++) { /* 1.6 GB, if it did not free */
        char *p = realloc(NULL, 16000);
        demand(p);
        p[0] = p[15999] = 'x';
        demand(realloc(p, 0) == NULL);
        demand((p = reallocarray(NULL, 4, 100)) != NULL);
        demand(reallocarray(p, 0, 100) == NULL);
    }
    void *p = realloc(NULL, 0);
    demand(p);
    free(p);
}

static void contents_are_kept(void)
{
    const size_t sizes[] = {1,    7,    16,    24,     40,      128, 500,
                            1033, 5000, 70000, 300000, 3 * MIB, 200, 30};
    enum { N = sizeof sizes / sizeof sizes[0] };
    for (size_t from = 0; from < N; from++)
        for (size_t to = 0; to < N; to++) {
            char *p = malloc(sizes[from]), *wall = malloc(100);
            memset(p, (int)(from + 1), sizes[from]);
            demand((p = realloc(p, sizes[to])) != NULL);
            size_t kept = sizes[from] < sizes[to] ? sizes[from] : sizes[to];
            demand(filled(p, kept, (unsigned char)(from + 1)));
            demand(malloc_usable_size(p) >= sizes[to]);
            memset(p, 'y', sizes[to]);
            free(wall);
            free(p);
        }
}

int main(void)
{
    contract("C14 realloc(NULL, n) makes a block, realloc(p, 0) frees it",
             null_is_malloc_and_zero_is_free);
    contract("C15 realloc keeps what the block holds", contents_are_kept);
    return contracts_broken;
}
