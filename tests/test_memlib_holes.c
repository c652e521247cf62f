/* test_memlib_holes.c - the memory system: addresses of the heap that are given
 * back, and had again. */
#include "tests/limits.h"
#include "tests/memlib_test.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static bool mapped(const void *p)
{
    unsigned char in;
    return mincore((void *)p, mem_pagesize(), &in) == 0;
}

START_TEST(what_is_released_is_unmapped_and_counts_no_more)
{
    char *p = sbrk_filled(16 * MIB), *end = p + 16 * MIB;
    errno = EDOM;
    ck_assert(mem_release(p + 4 * MIB, 8 * MIB));
    ck_assert_int_eq(errno, EDOM);
    ck_assert(!mapped(p + 4 * MIB) && !mapped(p + 12 * MIB - 4096));
    ck_assert(mapped(p + 4 * MIB - 4096) && mapped(p + 12 * MIB));
    ck_assert_uint_eq(mem_heapsize(), 8 * MIB);
    ck_assert_uint_eq(mem_peak(), 16 * MIB);
    ck_assert_ptr_eq(mem_brk(), end);
    ck_assert(mem_extend(end, MIB)); /* the break goes on where it is */
}
END_TEST

START_TEST(a_hole_is_had_again_from_its_low_end_and_is_zero)
{
    char *p = sbrk_filled(16 * MIB);
    size_t size = 100, page = mem_pagesize();
    ck_assert_ptr_null(mem_reuse(NULL, &size));
    ck_assert(mem_release(p + 4 * MIB, 8 * MIB));
    ck_assert_ptr_null(mem_reuse(p + 5 * MIB, &size)); /* none begins there */
    ck_assert_uint_eq(size, 100);
    char *at = p + 4 * MIB;
    for (int i = 0; at < p + 12 * MIB; i++) {
        size = (size_t)(i % 5) * MIB / 2 + 100;
        if (at + size > p + 12 * MIB)
            size = (size_t)(p + 12 * MIB - at);
        ck_assert_ptr_eq(mem_reuse(i % 2 ? at : NULL, &size), at);
        ck_assert_uint_eq(size % page, 0);
        ck_zero(at, size);
        memset(at, 0xff, size);
        at += size;
        ck_assert_uint_eq(mem_heapsize(), 8 * MIB + (size_t)(at - p) - 4 * MIB);
    }
    size = 1;
    ck_assert_ptr_null(mem_reuse(NULL, &size));
}
END_TEST

START_TEST(holes_that_meet_are_one)
{
    char *p = sbrk_filled(8 * MIB);
    size_t size = MIB / 2;
    ck_assert(mem_release(p + 3 * MIB, MIB));
    ck_assert_ptr_eq(mem_reuse(NULL, &size), p + 3 * MIB); /* maps ahead */
    ck_assert(mem_release(p + 5 * MIB, MIB));
    ck_assert(mem_release(p + 4 * MIB, MIB));
    ck_assert(mem_release(p + 2 * MIB, 3 * MIB / 2));
    size = 4 * MIB;
    ck_assert_ptr_eq(mem_reuse(NULL, &size), p + 2 * MIB);
    ck_zero(p + 2 * MIB, size);
    ck_assert_uint_eq(mem_heapsize(), 8 * MIB);
}
END_TEST

START_TEST(there_are_so_many_holes_and_then_no_more)
{
    size_t page = mem_pagesize(), n = 0;
    char *p = sbrk_filled(400 * page);
    while (n < 200 && mem_release(p + 2 * n * page, page))
        n++;
    ck_assert_uint_ge(n, 64);
    ck_assert_uint_lt(n, 200);
    ck_assert(mapped(p + 2 * n * page));
    ck_assert_uint_eq(mem_heapsize(), (400 - n) * page);
}
END_TEST

START_TEST(what_comes_into_a_hole_stays)
{
    char *p = sbrk_filled(16 * MIB);
    size_t size = MIB;
    ck_assert(mem_release(p + 4 * MIB, 4 * MIB));
    char *other = mmap(p + 5 * MIB, 4096, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    *other = 'o';
    ck_assert_ptr_null(mem_reuse(p + 4 * MIB, &size));
    ck_assert_ptr_null(mem_reuse(NULL, &size));
    ck_assert_ptr_nonnull(mem_sbrk(MIB));
    mem_reset();
    ck_assert_int_eq(*other, 'o');
    mem_fini();
    ck_assert_int_eq(*other, 'o');
    ck_assert(!mapped(p) && !mapped(p + 10 * MIB));
}
END_TEST

START_TEST(a_child_of_fork_leaves_holes_alone)
{
    char *p = sbrk_filled(16 * MIB);
    size_t size = MIB;
    ck_assert(mem_release(p + 4 * MIB, 4 * MIB));
    pid_t pid = fork();
    if (pid == 0)
        _exit(mem_reuse(NULL, &size) != NULL || mem_sbrk(MIB) == NULL ||
              !mem_release(p + 12 * MIB, MIB));
    int status;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
    ck_assert_ptr_eq(mem_reuse(NULL, &size), p + 4 * MIB);
}
END_TEST

START_TEST(a_refused_mapping_says_that_addresses_are_scarce)
{
    if (SANITIZED || !limits_hold())
        return;
    mem_sbrk(32 * MIB);
    ck_assert_ptr_null(mem_map((size_t)1 << 46, 1));
    ck_assert(!mem_range.scarce); /* the heap has less to give, too */
    set_limit(RLIMIT_AS, process_bytes("VmSize") + 8 * MIB);
    ck_assert_ptr_null(mem_sbrk(16 * MIB));
    ck_assert(mem_range.scarce);
    mem_fini();
    mem_begin();
    ck_assert(mem_range.scarce); /* as there is a limit */
}
END_TEST

/* ---- threads ----------------------------------------------------------- */

enum { CREW = 4, TURNS = SANITIZED ? 300 : 3000, HELD = 8 };

/* Take and give back pages; what is taken is this thread's, and zero. */
static void *take_and_release(void *arg)
{
    uint64_t random = (uintptr_t)arg;
    size_t page = mem_pagesize(), sizes[HELD] = {0};
    char *held[HELD] = {0};
    for (int i = 0; i < TURNS; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        size_t k = random >> 61, size = ((random >> 40) % 40 + 1) * page;
        if (held[k]) {
            for (size_t at = 0; at < sizes[k]; at += page)
                if (held[k][at] != (char)(uintptr_t)arg)
                    ck_abort_msg("another thread has it, too");
            if (mem_release(held[k], sizes[k]))
                held[k] = NULL;
            continue;
        }
        held[k] = mem_reuse(NULL, &size);
        if (!held[k] && !(held[k] = mem_sbrk(size)))
            ck_abort_msg("no memory");
        sizes[k] = size;
        for (size_t at = 0; at < size; at += page) {
            if (held[k][at])
                ck_abort_msg("it is not zero");
            held[k][at] = (char)(uintptr_t)arg;
        }
    }
    return NULL;
}

START_TEST(threads_have_holes_each_for_itself)
{
    pthread_t crew[CREW];
    mem_sbrk(mem_pagesize());
    for (uintptr_t i = 0; i < CREW; i++)
        ck_assert_int_eq(
            pthread_create(&crew[i], NULL, take_and_release, (void *)(i + 1)),
            0);
    for (int i = 0; i < CREW; i++)
        pthread_join(crew[i], NULL);
    ck_assert_uint_le(mem_heapsize(), CREW * HELD * 40 * mem_pagesize() + MIB);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        what_is_released_is_unmapped_and_counts_no_more,
        a_hole_is_had_again_from_its_low_end_and_is_zero,
        holes_that_meet_are_one,
        there_are_so_many_holes_and_then_no_more,
        what_comes_into_a_hole_stays,
        a_child_of_fork_leaves_holes_alone,
        a_refused_mapping_says_that_addresses_are_scarce,
        threads_have_holes_each_for_itself,
        NULL};
    return run_tests("memlib-holes", mem_begin, tests);
}
