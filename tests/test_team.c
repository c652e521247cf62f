/* test_team.c - team.h: members work at the same time, each on a processor of
 * its own where there are enough. */
#include "driver/base/team.h"

#include "tests/run_tests.h"
#include <sched.h>
#include <stdatomic.h>
#include <string.h>

#define MOST 256

static cpu_set_t seen[MOST];
static atomic_uint here;

static void nothing(void *unused, unsigned member)
{
    (void)unused;
    (void)member;
}

static void look(void *unused, unsigned member)
{
    (void)unused;
    atomic_fetch_add(&here, 1);
    ck_assert_int_eq(sched_getaffinity(0, sizeof *seen, &seen[member]), 0);
}

static unsigned allowed(cpu_set_t *all)
{
    ck_assert_int_eq(sched_getaffinity(0, sizeof *all, all), 0);
    return (unsigned)CPU_COUNT(all);
}

static void look_around(unsigned n, bool pin)
{
    struct team *c = team_start(n, pin, nothing, NULL);
    atomic_store(&here, 0);
    team_run(c, look, NULL);
    ck_assert_uint_eq(atomic_load(&here), n);
    team_end(c, nothing, NULL);
}

START_TEST(each_member_has_a_processor_of_its_own_if_there_are_enough)
{
    cpu_set_t all, both;
    unsigned n = allowed(&all);
    n = n < MOST ? n : MOST;
    look_around(n, false);
    for (unsigned i = 0; n > 1 && i < n; i++) {
        ck_assert_int_eq(CPU_COUNT(&seen[i]), 1);
        for (unsigned k = 0; k < i; k++) {
            CPU_AND(&both, &seen[i], &seen[k]);
            ck_assert_int_eq(CPU_COUNT(&both), 0);
        }
    }
    allowed(&both); /* the caller is no member */
    ck_assert(CPU_EQUAL(&both, &all));
}
END_TEST

START_TEST(more_members_than_processors_go_where_they_will)
{
    cpu_set_t all;
    unsigned n = allowed(&all) + 1;
    ck_assert_uint_le(n, MOST);
    look_around(n, false);
    for (unsigned i = 0; i < n; i++)
        ck_assert(CPU_EQUAL(&seen[i], &all));
}
END_TEST

START_TEST(they_are_kept_in_turn_if_that_is_asked_for)
{
    cpu_set_t all;
    unsigned n = allowed(&all);
    ck_assert_uint_lt(n, MOST);
    look_around(n + 1, true);
    for (unsigned i = 0; i <= n; i++)
        ck_assert_int_eq(CPU_COUNT(&seen[i]), 1);
    ck_assert(CPU_EQUAL(&seen[n], &seen[0]));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("team");
    TCase *tc = tcase_create("team");
    tcase_add_test(tc,
                   each_member_has_a_processor_of_its_own_if_there_are_enough);
    tcase_add_test(tc, more_members_than_processors_go_where_they_will);
    tcase_add_test(tc, they_are_kept_in_turn_if_that_is_asked_for);
    suite_add_tcase(suite, tc);
    return run_suite(suite);
}
