/* test_memlib_jump.c - what is not ours lies in the heap's way: the break jumps
 * over it, and it stays as it is. */
#include "tests/memlib_test.h"

#include <pthread.h>

/* Others' memory, at a distance from the heap's base, or at a tag. */
static char *in_the_way(void *at, size_t size)
{
    char *p = mmap(at, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    ck_assert_ptr_eq(p, at);
    return memset(p, 0x5a, size);
}

static void ck_untouched(const char *p, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (p[i] != 0x5a)
            ck_abort_msg("byte %zu of others' memory is %d", i, p[i]);
}

/* Grow the heap to bytes. @return the highest that it had at once */
static size_t fill(size_t bytes, size_t piece)
{
    size_t got = 0;
    for (; got < bytes; got += piece) {
        char *p = mem_sbrk(piece);
        ck_assert_ptr_nonnull(p);
        ck_zero(p, piece);
        memset(p, 0xff, piece);
        size_t grain = (size_t)(p - mem_range.base) >> MEM_GRAIN_LOG2;
        ck_assert_uint_eq(mem_range.pages[grain].tag, 0);
    }
    return got;
}

START_TEST(the_break_jumps_over_what_is_not_ours)
{
    char *others = in_the_way(mem_range.base + 3 * MIB, 2 * MIB);
    size_t got = fill(20 * MIB, 64 << 10);
    ck_assert_uint_eq(mem_heapsize(), got);
    ck_assert(mem_contains(others, 1)); /* it lies between base and break */
    ck_untouched(others, 2 * MIB);
}
END_TEST

START_TEST(a_large_piece_finds_room_behind_it)
{
    char *others = in_the_way(mem_range.base + 8 * MIB, MIB);
    char *more = in_the_way(mem_range.base + 40 * MIB, MIB);
    mem_sbrk(64);
    char *p = mem_sbrk(200 * MIB);
    ck_assert(p >= more + MIB);
    memset(p, 0xff, 200 * MIB);
    ck_untouched(others, MIB);
    ck_untouched(more, MIB);
}
END_TEST

START_TEST(extend_fails_there_as_if_another_thread_had_grown_the_heap)
{
    in_the_way(mem_range.base + 3 * MIB, MIB);
    fill(2 * MIB, MIB);
    char *brk = mem_brk();
    size_t had = mem_heapsize();
    errno = 0;
    ck_assert(!mem_extend(brk, 8 * MIB));
    ck_assert_int_eq(errno, 0);
    ck_assert(mem_brk() != brk && mem_skip(brk) == mem_brk());
    ck_assert_uint_eq(mem_heapsize(), had);
    ck_assert(mem_extend(mem_brk(), 8 * MIB));
}
END_TEST

START_TEST(tags_that_cannot_be_had_leave_their_addresses_out)
{
    char *others = in_the_way(mem_range.pages + (MEM_TAGGED >> MEM_GRAIN_LOG2),
                              mem_pagesize());
    fill(2 * MEM_TAGGED, 4 * MIB);
    ck_untouched(others, mem_pagesize());
    ck_assert((char *)mem_brk() >= mem_range.base + 3 * MEM_TAGGED);
}
END_TEST

/* As for a handler that comes when the first piece is mapped, but not yet told
 * of. */
START_TEST(what_is_in_the_way_of_the_first_byte_is_jumped)
{
    char *base = in_the_way(mem_range.base, MIB);
    char *records = in_the_way(mem_range.records, MIB);
    char *p = mem_record(64);
    ck_assert(p >= records + MIB);
    ck_zero(p, 64);
    fill(4 * MIB, 64 << 10);
    ck_untouched(base, MIB);
    ck_untouched(records, MIB);
}
END_TEST

START_TEST(records_jump_too)
{
    char *others = in_the_way(mem_range.records + MIB, MIB);
    for (int i = 0; i < 100; i++) {
        char *p = mem_record(64 << 10);
        ck_zero(p, 64 << 10);
        memset(p, 0xff, 64 << 10);
    }
    ck_untouched(others, MIB);
    ck_assert_uint_eq(mem_recordsize(), 100 * (64 << 10));
}
END_TEST

START_TEST(reset_and_fini_leave_it_alone)
{
    char *others = in_the_way(mem_range.base + 3 * MIB, MIB);
    for (int i = 0; i < 3; i++) {
        fill(20 * MIB, 128 << 10);
        mem_reset();
        ck_assert_uint_eq(mem_heapsize() + mem_recordsize(), 0);
    }
    fill(20 * MIB, 128 << 10);
    mem_fini();
    ck_untouched(others, MIB);
}
END_TEST

/* ---- threads ---------------------------------------------------------- */

enum { NTHREADS = 8, PIECES = 400, PIECE = 48 << 10 };

static void *grow(void *number)
{
    char **mine = calloc(PIECES, sizeof *mine);
    for (int i = 0; i < PIECES; i++) {
        mine[i] = mem_sbrk(PIECE);
        ck_zero(mine[i], PIECE);
        memset(mine[i], (int)(intptr_t)number, PIECE);
    }
    for (int i = 0; i < PIECES; i++)
        for (size_t k = 0; k < PIECE; k++)
            if (mine[i][k] != (char)(intptr_t)number)
                ck_abort_msg("memory of thread %d was given to another",
                             (int)(intptr_t)number);
    free(mine);
    return NULL;
}

START_TEST(threads_that_meet_it_together_stay_apart)
{
    pthread_t threads[NTHREADS];
    char *others[4];
    for (int i = 0; i < 4; i++)
        others[i] = in_the_way(mem_range.base + (5 + 30 * i) * MIB, MIB);
    for (int i = 0; i < NTHREADS; i++)
        pthread_create(&threads[i], NULL, grow, (void *)(intptr_t)(i + 1));
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(mem_heapsize(), (size_t)NTHREADS * PIECES * PIECE);
    for (int i = 0; i < 4; i++)
        ck_untouched(others[i], MIB);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        the_break_jumps_over_what_is_not_ours,
        a_large_piece_finds_room_behind_it,
        extend_fails_there_as_if_another_thread_had_grown_the_heap,
        tags_that_cannot_be_had_leave_their_addresses_out,
        what_is_in_the_way_of_the_first_byte_is_jumped,
        records_jump_too,
        reset_and_fini_leave_it_alone,
        threads_that_meet_it_together_stay_apart,
        NULL};
    return run_tests("memlib-jump", mem_begin, tests);
}
