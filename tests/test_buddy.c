/* test_buddy.c - buddy from inside: where blocks lie, what they waste, how they
 * merge, and whether the check names each kind of damage. */
#include "designs/buddy.c"

#include "tests/check_said.h"
#include "tests/limits.h"
#include "tests/run_tests.h"

#include <stdio.h>
#include <sys/mman.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void set_up(void)
{
    ck_assert_int_eq(mm_buddy.init(), 0);
}

static void begin_plain(void)
{
    mm_buddy.fini();
    ck_assert_int_eq(mm_buddy_plain.init(), 0);
}

static void *take(size_t size)
{
    void *p = mm_buddy.malloc(size);
    ck_assert_ptr_nonnull(p);
    return p;
}

static void ck_healthy(void)
{
    ck_assert_msg(check_and_listen(&mm_buddy) == 0, "%s", said);
}

static struct arena *arena(void)
{
    return owner_mine();
}

/* ---- sizes ------------------------------------------------------------- */

static size_t usable_of(size_t size)
{
    return byte_bytes(request_byte(size));
}

START_TEST(a_block_may_be_five_eighths_or_three_quarters)
{
    static const size_t sizes[][3] = {/* request, buddy, buddy-plain */
                                      {0, 16, 16},
                                      {16, 16, 16},
                                      {17, 32, 32},
                                      {33, 48, 64},
                                      {64, 64, 64},
                                      {65, 80, 128},
                                      {81, 96, 128},
                                      {97, 128, 128},
                                      {2561, 3072, 4096},
                                      {3 * KIB, 3 * KIB, 4 * KIB},
                                      {3 * KIB + 1, 4 * KIB, 4 * KIB},
                                      {10 * MIB, 10 * MIB, 16 * MIB}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ck_assert_uint_eq(usable_of(sizes[i][0]), sizes[i][1]);
    begin_plain();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        ck_assert_uint_eq(usable_of(sizes[i][0]), sizes[i][2]);
}
END_TEST

/* Bytes beyond what was asked for, of every size up to most, once each. */
static size_t waste_up_to(size_t most)
{
    size_t waste = 0;
    for (size_t size = 1; size <= most; size++)
        waste += usable_of(size) - size;
    return waste;
}

START_TEST(blocks_waste_a_third_less_than_plain_ones)
{
    static const size_t most[] = {128, 1 * KIB, 8 * KIB, 64 * KIB};
    size_t waste[4];
    for (int i = 0; i < 4; i++)
        waste[i] = waste_up_to(most[i]);
    begin_plain();
    for (int i = 0; i < 4; i++) {
        size_t plain = waste_up_to(most[i]);
        size_t asked = most[i] * (most[i] + 1) / 2;
        printf("# sizes 1 .. %zu: buddy wastes %.1f %%, buddy-plain %.1f %%\n",
               most[i], 100.0 * (double)waste[i] / (double)asked,
               100.0 * (double)plain / (double)asked);
        ck_assert_uint_le(waste[i] * 3, plain * 2);
    }
}
END_TEST

START_TEST(blocks_have_no_header)
{
    char *first = take(16);
    for (size_t i = 1; i < 256; i++)
        ck_assert_ptr_eq(take(16), first + i * 16);
    ck_healthy();
}
END_TEST

START_TEST(what_an_eighth_leaves_is_used_by_smaller_blocks)
{
    char *p = take(5 * KIB); /* 5/8 of 8 KiB */
    ck_assert_ptr_eq(take(1 * KIB), p + 5 * KIB);
    ck_assert_ptr_eq(take(2 * KIB), p + 6 * KIB);
    ck_healthy();
}
END_TEST

START_TEST(a_hole_of_several_pieces_is_filled)
{
    const size_t K = mem_pagesize() / 4; /* pieces are whole pages */
    char *p = take(64 * K);
    char *q = mm_buddy.memalign(32 * K, 32 * K); /* [p + 64, p + 96) */
    take(8 * K);
    mm_buddy.free(p);
    ck_assert_ptr_eq(q, p + 64 * K);
    p = take(32 * K); /* the low half; behind it 32 KiB are free */
    mm_buddy.free(q);
    char *filled = take(48 * K);
    ck_assert_ptr_eq(filled, p + 32 * K);
    ck_assert_uint_ne((uintptr_t)filled % (64 * K), 0);
    mm_buddy.free(filled);
    ck_healthy();
}
END_TEST

/* ---- merging and growing ----------------------------------------------- */

static void take_and_free_all(void)
{
    static void *blocks[4000];
    for (size_t i = 0; i < 4000; i++)
        blocks[i] = take(i * i % 9000);
    for (size_t i = 0; i < 4000; i++)
        mm_buddy.free(blocks[i * 7 % 4000]);
    quick_flush_all(arena());
    tree_purge(&arena()->tree, 0);
}

START_TEST(when_all_is_free_the_arena_is_as_it_was)
{
    for (int i = 0; i < 2; i++) /* maps as much as that takes */
        take_and_free_all();
    struct tree before = arena()->tree;
    take_and_free_all();
    /* what lies in a page with the arena itself stays */
    ck_assert_uint_lt(arena()->tree.held, mem_pagesize());
    ck_assert_int_eq(memcmp(&before, &arena()->tree, sizeof before), 0);
    ck_healthy();
}
END_TEST

START_TEST(realloc_grows_into_free_memory_and_gives_back_its_end)
{
    const size_t K = mem_pagesize() / 4;
    char *p = take(4 * K), *wall = take(64 * K);
    ck_assert_ptr_eq(mm_buddy.realloc(p, 20 * K), p);
    ck_assert_ptr_eq(mm_buddy.realloc(p, 64 * K), p);
    ck_assert_ptr_eq(mm_buddy.realloc(p, 40 * K), p);
    ck_assert_uint_eq(mm_buddy.usable_size(p), 40 * K);
    ck_assert_ptr_eq(take(8 * K), p + 40 * K);
    ck_assert_ptr_ne(mm_buddy.realloc(p, 48 * K), p);
    mm_buddy.free(wall);
    ck_healthy();
}
END_TEST

START_TEST(a_full_arena_gets_another_region)
{
    size_t fit = (forest.mask + 1) / HUGE_OVER, n = 0;
    char *first = take(HUGE_OVER), *last = first, *larger = take(HUGE_OVER + 1);
    while (region_of(last) == region_of(first) && n++ < fit)
        last = take(HUGE_OVER);
    ck_assert_uint_gt(n, fit * 9 / 10);
    ck_assert(region_of(first) != region_of(last));
    ck_assert(region_of(first)->arena == region_of(last)->arena);
    ck_assert(!in_region(larger));
    mm_buddy.free(last);
    mm_buddy.free(larger);
    ck_assert_ptr_eq(take(HUGE_OVER), last);
    ck_healthy();
}
END_TEST

/* Blocks that are larger each time, and what their metadata needs. */
START_TEST(a_region_is_mapped_as_its_blocks_are_needed)
{
    size_t before = mem_mapped().bytes, took = 0;
    for (size_t size = 16; size <= 64 * MIB; size *= 2) {
        memset(take(size), 1, size);
        took += size;
        size_t mapped = mem_mapped().bytes - before;
        ck_assert_uint_ge(mapped, took);
        ck_assert_uint_le(mapped, 3 * took + MIB + 4 * mem_pagesize());
        ck_healthy();
    }
}
END_TEST

static void *in_the_way(char *at)
{
    return mmap(at, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                -1, 0);
}

START_TEST(what_is_in_the_way_ends_a_region_and_stays)
{
    char *p = take(16), *other = in_the_way(region_of(p)->end + MIB);
    char *last = (char *)region_of(p) - forest.mask - 1;
    ck_assert_ptr_eq(in_the_way(last), last);
    char *q = take(4 * MIB);
    memset(q, 1, 4 * MIB);
    ck_assert(region_of(q) != region_of(p) && (char *)region_of(q) != last);
    ck_assert_int_eq(*other + *last, 0);
    ck_healthy();
    mm_buddy.fini();
    ck_assert_int_eq(*other + *last, 0);
}
END_TEST

START_TEST(memory_that_nobody_touches_is_not_resident)
{
    size_t bound = (emulated() ? 32 : 16) * MIB; /* twice 6 are qemu's own */
    char *p = take(1000 * MIB);
    mm_buddy.free(p);
    p = mm_buddy.calloc(1, 1000 * MIB); /* known to be zero: not written */
    if (!SANITIZED)
        ck_assert_uint_lt(process_bytes("RssAnon"), bound);
    p[500 * MIB] = 1;
    mm_buddy.free(p);
    p = mm_buddy.calloc(1, 1000 * MIB);
    ck_assert_int_eq(p[500 * MIB], 0);
    ck_healthy();
}
END_TEST

/* ---- misuse and damage ------------------------------------------------- */

static char *victim;

static void free_twice(void)
{
    mm_buddy.free(victim);
    mm_buddy.free(victim);
}

static void free_the_middle(void)
{
    mm_buddy.free(victim + 16);
}

START_TEST(misuse_is_named)
{
    victim = take(10 * KIB);
    ck_dies(free_twice, "not a live block");
    ck_dies(free_the_middle, "not a live block");
    victim = take(100);
    ck_dies(free_twice, "double free");
    victim = take((size_t)3 << 30);
    ck_dies(free_the_middle, "not a live block");
    ck_healthy();
}
END_TEST

START_TEST(the_check_names_damaged_bytes)
{
    char *p = take(64), *q = take(64 * KIB);
    take(64);
    mm_buddy.free(q);
    uint8_t was = *byte_of(p);
    *byte_of(p) = 0;
    ck_names(&mm_buddy, "B1 blocks in sequence");
    *byte_of(p) = was;
    byte_of(p)[1] = 1;
    ck_names(&mm_buddy, "B2 inside");
    byte_of(p)[1] = 0;
    ck_healthy();
}
END_TEST

START_TEST(the_check_names_what_is_not_merged_or_listed)
{
    char *p = take(64 * KIB);
    take(64 * KIB);
    struct tree *t = &arena()->tree;
    list_insert(t, p, 11, FREE);
    list_insert(t, p + 32 * KIB, 11, FREE);
    ck_names(&mm_buddy, "B3 merged");
    list_remove(t, p, 11, FREE);
    *byte_of(p) = make_byte(11, FREE);
    *byte_of(p + 32 * KIB) = make_byte(11, USED);
    ck_names(&mm_buddy, "B4 listed");
}
END_TEST

START_TEST(the_check_names_wrong_sums_and_owners)
{
    char *p = take(100);
    mm_buddy.free(take(64 * KIB));
    struct arena *a = arena();
    a->tree.held++;
    ck_names(&mm_buddy, "B5 held");
    a->tree.held--;
    a->tree.idle++;
    ck_names(&mm_buddy, "B5 idle");
    a->tree.idle--;
    mm_buddy.free(p);
    *byte_of(p) = make_byte(3, 5);
    ck_names(&mm_buddy, "B6 quick");
    *byte_of(p) = request_byte(100);
    region_of(p)->arena = NULL;
    ck_names(&mm_buddy, "B7 arena");
    region_of(p)->arena = a;
    ck_healthy();
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {
        a_block_may_be_five_eighths_or_three_quarters,
        blocks_waste_a_third_less_than_plain_ones,
        blocks_have_no_header,
        what_an_eighth_leaves_is_used_by_smaller_blocks,
        a_hole_of_several_pieces_is_filled,
        when_all_is_free_the_arena_is_as_it_was,
        realloc_grows_into_free_memory_and_gives_back_its_end,
        a_full_arena_gets_another_region,
        a_region_is_mapped_as_its_blocks_are_needed,
        what_is_in_the_way_ends_a_region_and_stays,
        memory_that_nobody_touches_is_not_resident,
        misuse_is_named,
        the_check_names_damaged_bytes,
        the_check_names_what_is_not_merged_or_listed,
        the_check_names_wrong_sums_and_owners,
        NULL};
    return run_tests("buddy", set_up, tests);
}
