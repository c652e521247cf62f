/* test_memlib_maps.c - the memory system: maps, purging, and what happens when
 * the system refuses. */
#include "tests/limits.h"
#include "tests/memlib_test.h"

/* Is the page at p in memory? */
static bool resident(void *p)
{
    unsigned char in;
    ck_assert_int_eq(mincore(p, mem_pagesize(), &in), 0);
    return in & 1;
}

START_TEST(maps_are_zero_aligned_and_counted_in_the_peak)
{
    size_t page = mem_pagesize();
    mem_sbrk(64);
    for (size_t align = 1; align <= 64 * MIB; align *= 2) {
        char *p = mem_map(100000, align);
        ck_assert_ptr_nonnull(p);
        ck_assert_uint_eq((uintptr_t)p % align, 0);
        ck_zero(p, 100000);
        memset(p, 0xff, 100000);
        size_t bytes = (100000 + page - 1) / page * page;
        ck_assert_uint_eq(mem_heapsize(), 64 + bytes);
        errno = EDOM;
        mem_unmap(p, 100000);
        ck_assert_int_eq(errno, EDOM);
        ck_assert_uint_eq(mem_heapsize(), 64);
        ck_assert_uint_eq(mem_peak(), 64 + bytes);
    }
}
END_TEST

START_TEST(maps_that_cannot_be_fail_and_count_nothing)
{
    static const size_t sizes[] = {(size_t)1 << 47, SIZE_MAX, SIZE_MAX - 4095};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        errno = 0;
        ck_assert_ptr_null(mem_map(sizes[i], 1));
        ck_assert_int_eq(errno, ENOMEM);
    }
    ck_assert_ptr_null(mem_map(100, (size_t)1 << 63));
    char *p = mem_map(100, 1);
    memset(p, 7, 100);
    errno = 0;
    ck_assert_ptr_null(mem_remap(p, 100, (size_t)1 << 47));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(mem_remap(p, 100, SIZE_MAX));
    ck_assert_int_eq(p[99], 7);
    ck_assert_uint_eq(mem_heapsize(), mem_pagesize());
}
END_TEST

START_TEST(remap_keeps_bytes_and_counts)
{
    char *p = mem_map(MIB, 1);
    memset(p, 7, MIB);
    p = mem_remap(p, MIB, 100 * MIB);
    ck_assert_int_eq(p[MIB - 1], 7);
    ck_zero(p + MIB, MIB);
    ck_assert_uint_eq(mem_heapsize(), 100 * MIB);
    p = mem_remap(p, 100 * MIB, MIB / 2);
    ck_assert_int_eq(p[MIB / 2 - 1], 7);
    ck_assert_uint_eq(mem_heapsize(), MIB / 2);
    ck_assert_uint_eq(mem_peak(), 100 * MIB);
}
END_TEST

START_TEST(purge_gives_back_whole_pages_and_touches_nothing_else)
{
    size_t page = mem_pagesize();
    char *p = sbrk_filled(16 * page);
    errno = EDOM;
    ck_assert_uint_eq(mem_purge(p + page / 2, 4 * page), 3 * page);
    ck_assert_int_eq(errno, EDOM);
    ck_assert(resident(p) && resident(p + 4 * page));
    for (size_t i = 1; i < 4; i++)
        ck_assert(!resident(p + i * page));
    ck_zero(p + page, 3 * page);
    ck_assert(p[page - 1] == (char)-1 && p[4 * page] == (char)-1);
    ck_assert_uint_eq(mem_purge(p + 5 * page + 1, page), 0);
    ck_assert_uint_eq(mem_purge(p, 0), 0);
    ck_assert_int_eq(p[5 * page + 1], (char)-1);
}
END_TEST

START_TEST(a_limit_of_addresses_limits_the_heap_and_nothing_else)
{
    if (!limits_hold())
        return;
    mem_fini();
    limit_addresses(100 * MIB);
    ck_assert_int_eq(mem_init(), 0);
    ck_assert_uint_ge(mem_range.size, MEM_ZONE);
    memset(mem_sbrk(60 * MIB), 0xff, 60 * MIB);
    ck_assert_ptr_null(mem_sbrk(50 * MIB));
    ck_assert_int_eq(errno, ENOMEM);
    void *others =
        mmap(NULL, 30 * MIB, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert(others != MAP_FAILED);
    ck_assert_ptr_null(mem_sbrk(10 * MIB));
    munmap(others, 30 * MIB);
    ck_assert_ptr_nonnull(mem_sbrk(10 * MIB));
}
END_TEST

START_TEST(too_few_addresses_are_an_error)
{
    if (!limits_hold())
        return;
    mem_fini();
    limit_addresses(32 << 10);
    ck_assert_int_eq(mem_init(), -1);
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert_ptr_null(mem_sbrk(16));
}
END_TEST

/* What mlockall and core dumps would meet: nothing is reserved. */
START_TEST(a_new_heap_takes_no_more_addresses_than_a_small_one_needs)
{
    mem_fini();
    size_t before = process_bytes("VmSize");
    ck_assert_int_eq(mem_init(), 0);
    mem_sbrk(1000);
    mem_record(1024);
    ck_assert_uint_le(process_bytes("VmSize"), before + MIB);
    mem_sbrk(100 * MIB);
    ck_assert_uint_le(process_bytes("VmSize"), before + 110 * MIB);
}
END_TEST

START_TEST(memory_that_the_system_refuses_is_no_memory_and_may_come_later)
{
    if (!limits_hold())
        return;
    mem_sbrk(64);
    limit_data(10 * MIB);
    void *brk = mem_brk();
    ck_assert_ptr_null(mem_sbrk(20 * MIB));
    ck_assert_int_eq(errno, ENOMEM);
    ck_assert(!mem_extend(brk, 20 * MIB));
    ck_assert_ptr_eq(mem_brk(), brk);
    size_t got = 0;
    for (; mem_sbrk(64 << 10); got += 64 << 10)
        ;
    ck_assert_uint_ge(got, 9 * MIB);
    set_limit(RLIMIT_DATA, RLIM_INFINITY);
    memset(mem_sbrk(20 * MIB), 0xff, 20 * MIB);
}
END_TEST

/* RUNNER is what runs the programs of another machine. */
START_TEST(limits_are_tested_unless_another_machine_is_emulated)
{
    ck_assert(limits_hold() || getenv("RUNNER"));
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        maps_are_zero_aligned_and_counted_in_the_peak,
        maps_that_cannot_be_fail_and_count_nothing,
        remap_keeps_bytes_and_counts,
        purge_gives_back_whole_pages_and_touches_nothing_else,
        memory_that_the_system_refuses_is_no_memory_and_may_come_later,
        limits_are_tested_unless_another_machine_is_emulated,
        SANITIZED ? NULL /* it needs addresses of its own: none from here */
                  : a_limit_of_addresses_limits_the_heap_and_nothing_else,
        too_few_addresses_are_an_error,
        a_new_heap_takes_no_more_addresses_than_a_small_one_needs,
        NULL};
    return run_tests("memlib-maps", mem_begin, tests);
}
