/* test_low_water.c - what of a heap's waste counts as unused, over periods. */
#include "mm/front/low_water.h"
#include "tests/run_tests.h"

#include <check.h>

#define MIB ((size_t)1 << 20)

/* Periods in which the waste is noted as high, then low. @return what was idle
 */
static size_t periods(struct low_water *w, unsigned n, size_t high, size_t low)
{
    size_t idle = 0;
    for (unsigned i = 0; i < n; i++) {
        low_water_note(w, high);
        low_water_note(w, low);
        low_water_note(w, high);
        idle = low_water_end(w, high);
    }
    return idle;
}

START_TEST(idle_after_all_periods)
{
    struct low_water w = {0};
    ck_assert_uint_eq(periods(&w, PERIODS - 1, 9 * MIB, 5 * MIB), 0);
    ck_assert_uint_eq(periods(&w, 1, 9 * MIB, 5 * MIB), 5 * MIB);
}
END_TEST

START_TEST(use_once_in_all_windows_is_enough)
{
    struct low_water w = {0};
    periods(&w, PERIODS, 9 * MIB, 8 * MIB);
    ck_assert_uint_eq(periods(&w, 1, 9 * MIB, 0), 0);
    ck_assert_uint_eq(periods(&w, PERIODS - 1, 9 * MIB, 9 * MIB), 0);
    ck_assert_uint_eq(periods(&w, 1, 9 * MIB, 9 * MIB), 9 * MIB);
}
END_TEST

START_TEST(who_notes_nothing_has_what_it_had)
{
    struct low_water w = {0};
    for (unsigned i = 0; i < PERIODS - 1; i++)
        ck_assert_uint_eq(low_water_end(&w, 7 * MIB), 0);
    ck_assert_uint_eq(low_water_end(&w, 7 * MIB), 7 * MIB);
}
END_TEST

/* A steady load takes again what it frees: nothing is ever idle. */
START_TEST(steady_load_is_never_idle)
{
    struct low_water w = {0};
    for (unsigned i = 0; i < 100; i++)
        ck_assert_uint_eq(periods(&w, 1, (i % 50) * MIB, i % 3 ? MIB : 0), 0);
}
END_TEST

START_TEST(half_goes_until_little_is_left)
{
    size_t left = 256 * MIB, ends = 0;
    for (; left; ends++) {
        size_t share = decay_share(left);
        ck_assert_uint_ge(share, left / 2);
        left -= share;
    }
    ck_assert_uint_eq(ends, 9); /* 256 to 1 MiB, and that */
}
END_TEST

START_TEST(idle_when_nobody_uses_it)
{
    struct low_water w = {0};
    ck_assert(idle_end_period(&w.idle, 5) < PERIODS);
    for (unsigned i = 1; i < PERIODS; i++)
        ck_assert(idle_end_period(&w.idle, 5) < PERIODS);
    ck_assert(idle_end_period(&w.idle, 5) == PERIODS);
    ck_assert(idle_end_period(&w.idle, 5) == PERIODS);
    ck_assert(idle_end_period(&w.idle, 6) < PERIODS);
}
END_TEST

static unsigned looks(struct low_water *w, unsigned turns, uint64_t per_ms)
{
    unsigned n = 0;
    for (unsigned i = 0; i < turns; i++)
        if (low_water_turn(w)) {
            low_water_looked(w, i / per_ms);
            n++;
        }
    return n;
}

START_TEST(the_clock_is_asked_the_less_the_more_happens)
{
    struct low_water w = {0}, idle = {0};
    ck_assert_uint_ge(looks(&idle, 1000, 1), 999);
    unsigned n = looks(&w, 1000000, 100000);
    ck_assert_uint_ge(n, 1000000 / (LOOK_MOST + 1));
    ck_assert_uint_lt(n, 1000000 / 64);
}
END_TEST

static void none(void)
{
}

int main(void)
{
    const TTest *const tests[] = {
        idle_after_all_periods,
        use_once_in_all_windows_is_enough,
        who_notes_nothing_has_what_it_had,
        steady_load_is_never_idle,
        half_goes_until_little_is_left,
        idle_when_nobody_uses_it,
        the_clock_is_asked_the_less_the_more_happens,
        NULL,
    };
    return run_tests("low_water", none, tests);
}
