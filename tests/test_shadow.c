/* test_shadow.c - the shadow map: who owns which 8 bytes. Claims need no
 * memory behind the addresses, so the tests make addresses up. */
#include "driver/check/shadow.h"
#include "tests/run_tests.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)
#define PAGE (4 * KIB)

static struct shadow *map;
static char *const base = (char *)(3 * GIB); /* a leaf and a page start here */

static void set_up(void)
{
    map = shadow_new();
}

static void tear_down(void)
{
    shadow_free(map);
}

#define UNKNOWN UINT32_MAX /* a clash with a block that was gone again */

/* The key that a claim meets, or 0 if it succeeds. */
static uint32_t clash_of(char *p, size_t size, uint32_t key)
{
    uint32_t clash = 0;
    if (shadow_claim(map, p, size, key, &clash))
        return 0;
    return clash ? clash : UNKNOWN;
}

START_TEST(neighbours_do_not_clash)
{
    ck_assert_uint_eq(clash_of(base, 48, 1), 0);
    ck_assert_uint_eq(clash_of(base + 48, 16, 2), 0);
    ck_assert_uint_eq(clash_of(base - 32, 32, 3), 0);
    ck_assert_uint_eq(shadow_owner(map, base + 47), 1);
    ck_assert_uint_eq(shadow_owner(map, base + 48), 2);
}
END_TEST

START_TEST(blocks_of_eight_bytes_are_told_apart)
{
    ck_assert_uint_eq(clash_of(base, 8, 1), 0);
    ck_assert_uint_eq(clash_of(base + 8, 8, 2), 0);
    ck_assert_uint_eq(clash_of(base + 8, 1, 3), 2);
    ck_assert_uint_eq(shadow_owner(map, base), 1);
    ck_assert_uint_eq(shadow_owner(map, base + 8), 2);
}
END_TEST

START_TEST(one_common_granule_clashes_and_names_its_owner)
{
    ck_assert_uint_eq(clash_of(base, 48, 1), 0);
    ck_assert_uint_eq(clash_of(base + 32, 64, 2), 1);
    ck_assert_uint_eq(clash_of(base - 64, 65, 3), 1);
}
END_TEST

START_TEST(a_claim_of_no_bytes_takes_one_granule)
{
    ck_assert_uint_eq(clash_of(base, 0, 1), 0);
    ck_assert_uint_eq(clash_of(base, 0, 2), 1);
    shadow_release(map, base, 0);
    ck_assert_uint_eq(clash_of(base, 0, 2), 0);
}
END_TEST

START_TEST(a_failed_claim_leaves_nothing_claimed)
{
    ck_assert_uint_eq(clash_of(base + 3 * PAGE, 16, 1), 0);
    ck_assert_uint_eq(clash_of(base + 16, 3 * PAGE, 2), 1);
    ck_assert_uint_eq(clash_of(base + 16, 3 * PAGE - 16, 3), 0);
    shadow_release(map, base + 3 * PAGE, 16);
    ck_assert_uint_eq(clash_of(base + 3 * PAGE, PAGE, 4), 0);
}
END_TEST

START_TEST(a_small_block_inside_a_large_one_clashes)
{
    ck_assert_uint_eq(clash_of(base, 3 * PAGE, 1), 0);
    ck_assert_uint_eq(clash_of(base + PAGE + 160, 16, 2), 1);
    ck_assert_uint_eq(clash_of(base + 3 * PAGE - 16, 32, 2), 1);
}
END_TEST

START_TEST(a_large_block_around_a_small_one_clashes)
{
    ck_assert_uint_eq(clash_of(base + PAGE + 160, 16, 1), 0);
    ck_assert_uint_eq(clash_of(base, 3 * PAGE, 2), 1);
}
END_TEST

START_TEST(two_large_blocks_clash_in_one_page)
{
    ck_assert_uint_eq(clash_of(base, 5 * PAGE, 1), 0);
    ck_assert_uint_eq(clash_of(base + 4 * PAGE, 5 * PAGE, 2), 1);
    ck_assert_uint_eq(clash_of(base + 5 * PAGE, 5 * PAGE, 2), 0);
}
END_TEST

START_TEST(a_block_over_several_leaves_is_claimed_and_released_whole)
{
    char *p = base + 40 * MIB + 80;
    size_t size = GIB + 1000;
    ck_assert_uint_eq(clash_of(p, size, 1), 0);
    ck_assert_uint_eq(clash_of(p + size / 2 / 16 * 16, 16, 2), 1);
    ck_assert_uint_eq(clash_of(p + size / 16 * 16, 16, 2), 1);
    ck_assert_uint_eq(clash_of(p - 16, 16, 3), 0);
    shadow_release(map, p, size);
    ck_assert_uint_eq(clash_of(p, size, 4), 0);
}
END_TEST

START_TEST(released_granules_can_be_claimed_as_a_page)
{
    for (size_t at = 0; at < PAGE; at += 64)
        ck_assert_uint_eq(clash_of(base + at, 64, 1), 0);
    for (size_t at = 0; at < PAGE; at += 64)
        shadow_release(map, base + at, 64);
    ck_assert_uint_eq(clash_of(base, PAGE, 2), 0);
}
END_TEST

START_TEST(addresses_beyond_48_bits_are_not_covered)
{
    char *top = (char *)((uintptr_t)1 << 48);
    ck_assert(shadow_covers(top - 32, 31));
    ck_assert(!shadow_covers(top - 32, 33));
    ck_assert(!shadow_covers(top, 1));
    ck_assert(!shadow_covers(NULL, 1));
    ck_assert(!shadow_covers(base, SIZE_MAX));
}
END_TEST

/* ---- threads --------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 20000

static _Atomic unsigned clashes, wins;

/* Each its own blocks, all in the same few pages. */
static void *claim_own(void *arg)
{
    size_t me = (size_t)arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        char *p = base + i % 200 * 64 * THREADS + me * 64;
        if (clash_of(p, 64, (uint32_t)me + 1))
            clashes++;
        if (shadow_owner(map, p) != me + 1)
            clashes++;
        shadow_release(map, p, 64);
    }
    return NULL;
}

/* All the same block, so that at any time at most one has it. */
static void *claim_same(void *arg)
{
    static _Atomic int inside;
    uint32_t me = (uint32_t)(size_t)arg + 1;
    size_t size = me % 2 ? 2 * PAGE : 80; /* whole pages against granules */
    char *p = me % 2 ? base : base + PAGE + 64;
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (clash_of(p, size, me))
            continue;
        wins++;
        clashes += atomic_fetch_add(&inside, 1) != 0;
        atomic_fetch_sub(&inside, 1);
        shadow_release(map, p, size);
    }
    return NULL;
}

static void on_threads(void *(*body)(void *))
{
    pthread_t t[THREADS];
    clashes = wins = 0;
    for (size_t i = 0; i < THREADS; i++)
        ck_assert(!pthread_create(&t[i], NULL, body, (void *)i));
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
}

START_TEST(threads_that_share_pages_but_no_granule_never_clash)
{
    on_threads(claim_own);
    ck_assert_uint_eq(clashes, 0);
}
END_TEST

START_TEST(of_threads_that_want_one_block_at_most_one_has_it)
{
    on_threads(claim_same);
    ck_assert_uint_eq(clashes, 0);
    ck_assert_uint_gt(wins, 0);
    ck_assert_uint_eq(clash_of(base, 3 * PAGE, 9), 0);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("shadow");
    TCase *t = tcase_create("claims");
    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_test(t, neighbours_do_not_clash);
    tcase_add_test(t, blocks_of_eight_bytes_are_told_apart);
    tcase_add_test(t, one_common_granule_clashes_and_names_its_owner);
    tcase_add_test(t, a_claim_of_no_bytes_takes_one_granule);
    tcase_add_test(t, a_failed_claim_leaves_nothing_claimed);
    tcase_add_test(t, a_small_block_inside_a_large_one_clashes);
    tcase_add_test(t, a_large_block_around_a_small_one_clashes);
    tcase_add_test(t, two_large_blocks_clash_in_one_page);
    tcase_add_test(t,
                   a_block_over_several_leaves_is_claimed_and_released_whole);
    tcase_add_test(t, released_granules_can_be_claimed_as_a_page);
    tcase_add_test(t, addresses_beyond_48_bits_are_not_covered);
    tcase_add_test(t, threads_that_share_pages_but_no_granule_never_clash);
    tcase_add_test(t, of_threads_that_want_one_block_at_most_one_has_it);
    suite_add_tcase(s, t);
    return run_suite(s);
}
