/* test_mm_limits.c - out of memory, in each stage: NULL and ENOMEM, nothing
 * lost, and all of it usable again after frees; pages given back. */
#include "config.h"
#include "tests/limits.h"
#include "tests/mm_test.h"

#include <sys/mman.h>

#define MOST 200000 /* blocks */

static char *blocks[MOST];
static size_t nblocks;

/* Take blocks of the sizes that size_of gives until there is no memory.
 * @return bytes taken */
static size_t fill_up(size_t (*size_of)(size_t i))
{
    size_t bytes = 0;
    for (nblocks = 0;; nblocks++) {
        ck_assert_uint_lt(nblocks, MOST);
        size_t size = size_of(nblocks);
        errno = 0;
        char *p = mm->malloc(size);
        if (!p)
            break;
        blocks[nblocks] = memset(p, (int)nblocks, size);
        bytes += size;
    }
    ck_assert_int_eq(errno, ENOMEM);
    ck_healthy();
    return bytes;
}

static void free_all(size_t (*size_of)(size_t i))
{
    for (size_t i = 0; i < nblocks; i++) {
        ck_filled(blocks[i], size_of(i), (int)i);
        mm->free(blocks[i]);
    }
    ck_healthy();
}

static size_t large_size(size_t i)
{
    return 10000 + i % 7 * 3000;
}

static size_t mixed_size(size_t i)
{
    static const size_t sizes[] = {8, 24, 32, 100, 128, 500, 1000, 5000, 40000};
    return sizes[i * 5 % 9];
}

static size_t small_size(size_t i)
{
    return i % 300;
}

/* Every function that makes a block fails now, and p is left alone. */
static void ck_exhausted(void)
{
    while (mm->malloc(4000))
        ;
    char *p = blocks[nblocks / 2];
    size_t usable = mm->usable_size(p);
    ck_fails(mm->malloc(HUGE_OVER), ENOMEM);
    ck_fails(mm->calloc(4, MIB), ENOMEM);
    ck_fails(mm->memalign(4096, MIB), ENOMEM);
    ck_fails(mm->memalign(MIB, 5000), ENOMEM);
    ck_fails(mm->realloc(p, HUGE_OVER), ENOMEM);
    ck_fails(mm->realloc(NULL, HUGE_OVER), ENOMEM);
    ck_assert_uint_eq(mm->usable_size(p), usable);
    ck_healthy();
}

/* Fill the memory with blocks of one kind after the other: nothing is lost, but
 * that the one empty run that each class may keep lies in the way of others. */
static void ck_out_of_memory(void)
{
    size_t first = fill_up(large_size);
    ck_assert_uint_gt(first, 3 * MIB);
    free_all(large_size);
    fill_up(mixed_size);
    free_all(mixed_size);
    fill_up(small_size);
    free_all(small_size);
    void *half = mm->malloc(HUGE_OVER);
    ck_fails(mm->malloc(HUGE_OVER), ENOMEM); /* which empties caches */
    mm->free(half);
    size_t last = fill_up(large_size);
    ck_assert_msg(last >= first / 100 * 95, "%s: %zu bytes, later only %zu",
                  mm->name, first, last);
    ck_exhausted();
}

START_TEST(few_addresses_are_used_up_and_again)
{
    if (!limits_hold())
        return;
    begin(_i);
    mm->free(take(1, 'x'));
    limit_addresses(6 * MIB);
    ck_out_of_memory();
}
END_TEST

START_TEST(refused_memory_is_used_up_and_again)
{
    if (!limits_hold())
        return;
    begin(_i);
    mm->free(take(1, 'x'));
    limit_data(6 * MIB);
    ck_out_of_memory();
}
END_TEST

START_TEST(refused_memory_that_comes_later_is_used)
{
    if (!limits_hold())
        return;
    begin(_i);
    mm->free(take(1, 'x'));
    limit_data(4 * MIB);
    fill_up(mixed_size);
    set_limit(RLIMIT_DATA, RLIM_INFINITY);
    take(20 * MIB, 'x');
    free_all(mixed_size);
}
END_TEST

START_TEST(without_addresses_init_fails)
{
    if (!limits_hold())
        return;
    limit_addresses(32 * KIB);
    mm = stages[_i];
    ck_assert_int_eq(mm->init(), -1);
    ck_assert_int_eq(errno, ENOMEM);
}
END_TEST

/* Pages of [p, p + size) that are in memory. */
static size_t resident(char *p, size_t size)
{
    size_t page = mem_pagesize(), n = 0;
    p += -(uintptr_t)p & (page - 1);
    size_t npages = size / page - 1;
    unsigned char *in = malloc(npages);
    ck_assert_int_eq(mincore(p, npages * page, in), 0);
    for (size_t i = 0; i < npages; i++)
        n += in[i] & 1;
    free(in);
    return n * page;
}

START_TEST(a_large_calloc_is_zero_and_costs_what_is_touched)
{
    const size_t large = (SANITIZED ? 2 : 48) * MIB;
    small_pages();
    begin(_i);
    for (int shift = 0; shift < 3; shift++) {
        size_t before = process_bytes("RssAnon"), size = large + 999u * shift;
        char *p = mm->calloc(size, 1);
        ck_assert_ptr_nonnull(p);
        if (!SANITIZED)
            ck_assert_uint_lt(process_bytes("RssAnon"), before + 2 * MIB);
        ck_zero(p, size);
        mm->free(memset(p, 'x', size));
        mm->free(memset(mm->malloc(size / 3), 'y', size / 3));
    }
    ck_healthy();
}
END_TEST

/* What is in memory stays there, so that no page has to be faulted in once
 * more; and what is not stays out of it: new memory, and what went back. */
START_TEST(a_calloc_of_less_neither_touches_pages_nor_gives_them_back)
{
    const size_t size = 700000;
    small_pages();
    begin(_i);
    char *p = mm->calloc(size, 1), *wall = take(100, 'w');
    if (!SANITIZED)
        ck_assert_uint_le(resident(p, size), size / 4);
    ck_zero(p, size);
    mm->free(memset(p, 'x', size));
    const size_t part = size / 2;
    char *q = mm->calloc(1, part);
    ck_assert(q >= p && q + part <= p + size && wall);
    ck_assert_uint_ge(resident(q, part), part - 2 * mem_pagesize());
    ck_zero(q, part);
    mm->free(q);
    mm->trim();
    char *r = mm->calloc(1, part - 99);
    ck_assert(r >= p && r < p + size);
    if (!SANITIZED)
        ck_assert_uint_le(resident(r, part), part / 4);
    ck_zero(r, part - 99);
    ck_healthy();
}
END_TEST

/* Heaps that grow by more than is asked for have new memory left over. */
START_TEST(callocs_leave_new_memory_untouched)
{
    enum { N = 200 };
    const size_t size = 150000;
    size_t touched = 0;
    small_pages();
    begin(_i);
    for (int i = 0; i < N; i++) {
        char *p = mm->calloc(size, 1);
        touched += resident(p, size);
        ck_zero(p, size);
    }
    if (!SANITIZED)
        ck_assert_uint_le(touched, N * size / 8);
    ck_healthy();
}
END_TEST

START_TEST(much_free_memory_goes_back_to_the_system)
{
    enum { N = 40 };
    const size_t size = 3 * MIB;
    begin(_i);
    char *p[N];
    for (int i = 0; i < N; i++) {
        p[i] = take(size, 'x');
        take(3000, 'w');
    }
    for (int i = 0; i < N; i++)
        mm->free(p[i]);
    size_t left = 0;
    for (int i = 0; i < N; i++)
        left += resident(p[i], size);
    ck_assert_uint_le(left, 80 * MIB);
    ck_healthy();
    for (int i = 0; i < N; i++)
        take(size, 'y');
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_large_calloc_is_zero_and_costs_what_is_touched,
        a_calloc_of_less_neither_touches_pages_nor_gives_them_back,
        callocs_leave_new_memory_untouched,
        much_free_memory_goes_back_to_the_system,
        /* A sanitizer needs memory of its own: none from here on. */
        SANITIZED ? NULL : few_addresses_are_used_up_and_again,
        refused_memory_is_used_up_and_again,
        refused_memory_that_comes_later_is_used, without_addresses_init_fails,
        NULL};
    return run_stage_tests("mm-limits", tests);
}
