/* errors.c - what fails, how it says so, and what it leaves alone. */
#include "conform.h"

/* Sizes that the compiler cannot know, and so not warn of. */
static volatile size_t half = (size_t)1 << 32, all = SIZE_MAX;

/* errno is set, to ENOMEM. */
static bool fails(void *p)
{
    bool failed = !p && errno == ENOMEM;
    errno = 0;
    return failed;
}

static void too_much_fails_in_all(void)
{
    size_t most = PTRDIFF_MAX, least = most + 1;
    const size_t sizes[] = {least,          least + 4095,  SIZE_MAX,
                            SIZE_MAX - 8,   SIZE_MAX - 16, SIZE_MAX - 4095,
                            SIZE_MAX - 5000};
    errno = 0;
    for (size_t m = 0; m < NMAKERS; m++)
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
            demand(fails(makers[m].make(sizes[i])));
}

/* Sizes that are allowed until they are rounded up, or have a header; and what
 * is allowed, but no machine has. */
static void too_much_after_rounding_fails(void)
{
    errno = 0;
    for (size_t m = 0; m < NMAKERS; m++) {
        for (size_t less = 0; less < 5000; less += 1 + less / 4)
            demand(fails(makers[m].make(PTRDIFF_MAX - less)));
        for (size_t size = (size_t)1 << 62; size > (size_t)1 << 46; size /= 2)
            demand(fails(makers[m].make(size - 1)));
    }
    for (size_t align = 16; align <= (size_t)1 << 63 && align; align *= 2) {
        demand(fails(aligned_alloc(align, PTRDIFF_MAX - align / 2)));
        demand(fails(memalign(align, all - align / 2)));
    }
    size_t align = (size_t)1 << 62;
    demand(fails(aligned_alloc(align, 1)) && fails(memalign(align * 2, 1)));
}

static void overflow_fails(void)
{
    char *p = malloc(100);
    memset(p, 'x', 100);
    errno = 0;
    demand(fails(calloc(half, half)) && fails(calloc(all, 2)));
    demand(fails(calloc(all / 3, 4)) && fails(calloc(half, half + 1)));
    demand(fails(reallocarray(p, half, half)));
    demand(fails(reallocarray(p, all, 2)));
    demand(fails(reallocarray(NULL, half + 1, half)));
    demand(filled(p, 100, 'x'));
    free(p);
}

static void failed_realloc_leaves_the_block(void)
{
    const size_t sizes[] = {1, 32, 100, 1000, 5000, 200000};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        size_t size = sizes[i];
        char *p = malloc(size);
        memset(p, 'x', size);
        errno = 0;
        demand(fails(realloc(p, all)));
        demand(fails(realloc(p, all / 2)));
        demand(fails(realloc(p, (size_t)1 << 47)));
        demand(fails(reallocarray(p, (size_t)1 << 40, 1 << 10)));
        demand(filled(p, size, 'x') && malloc_usable_size(p) >= size);
        free(p);
    }
}

static void bad_alignments_are_refused(void)
{
    const size_t bad[] = {0, 3, 24, 48, 100, 4095, SIZE_MAX, SIZE_MAX / 2};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        errno = 0;
        demand(!aligned_alloc(bad[i], 100) && errno == EINVAL);
        errno = 0;
        demand(!memalign(bad[i], 100) && errno == EINVAL);
    }
}

static void posix_memalign_leaves_the_pointer_alone(void)
{
    const size_t bad[] = {0, 1, 2, 4, 3, 24, 48, 12, SIZE_MAX};
    void *const mark = &contracts_broken;
    void *p = mark;
    errno = 4711;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        demand(posix_memalign(&p, bad[i], 100) == EINVAL && p == mark);
    demand(errno == 4711);
    demand(posix_memalign(&p, 64, 100) == 0 && p != mark && errno == 4711);
    free(p);
    p = mark;
    const size_t large[] = {SIZE_MAX, PTRDIFF_MAX, (size_t)1 << 50};
    for (size_t i = 0; i < sizeof large / sizeof large[0]; i++) {
        errno = 4711;
        demand(posix_memalign(&p, 64, large[i]) == ENOMEM && p == mark);
        demand(errno == ENOMEM);
    }
    demand(posix_memalign(&p, 64, 100) == 0 && p != mark && errno == ENOMEM);
    free(p);
}

int main(void)
{
    contract("C8 more than PTRDIFF_MAX bytes: NULL, ENOMEM, from all",
             too_much_fails_in_all);
    contract("C9 more than that when rounded up, or than there is: the same",
             too_much_after_rounding_fails);
    contract("C10 calloc and reallocarray notice overflow", overflow_fails);
    contract("C11 a realloc that fails leaves the block",
             failed_realloc_leaves_the_block);
    contract("C12 aligned_alloc refuses what is no power of two: EINVAL",
             bad_alignments_are_refused);
    contract("C13 posix_memalign that fails leaves *ptr alone; errno is ENOMEM",
             posix_memalign_leaves_the_pointer_alone);
    return contracts_broken;
}
