/* test_plan.c - which thread replays which trace (driver/trace/plan.h). */
#include "driver/trace/plan.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdlib.h>

static const unsigned singles[20] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                     1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static void expect_part(const struct plan *p, unsigned round, unsigned part,
                        struct part want)
{
    ck_assert_uint_lt(round, p->nrounds);
    ck_assert_uint_lt(part, p->rounds[round].nparts);
    const struct part *got = &p->rounds[round].parts[part];
    ck_assert_uint_eq(got->trace, want.trace);
    ck_assert_uint_eq(got->copy, want.copy);
    ck_assert_uint_eq(got->first, want.first);
    ck_assert_uint_eq(got->lanes, want.lanes);
}

/* P2: each trace at least once; P4: threads 0 .. nthreads - 1 without a gap. */
static void expect_sound(const struct plan *p, unsigned ntraces)
{
    bool had[300] = {false};
    for (unsigned r = 0; r < p->nrounds; r++) {
        unsigned next = 0;
        ck_assert_uint_gt(p->rounds[r].nparts, 0);
        for (unsigned k = 0; k < p->rounds[r].nparts; k++) {
            const struct part *part = &p->rounds[r].parts[k];
            ck_assert_uint_eq(part->first, next);
            ck_assert_uint_ge(part->lanes, 1);
            next += part->lanes;
            had[part->trace] = true;
        }
        ck_assert_uint_eq(p->rounds[r].nthreads, next);
        ck_assert_uint_le(next, p->threads);
    }
    for (unsigned t = 0; t < ntraces; t++)
        ck_assert(had[t]);
}

START_TEST(one_thread_has_one_trace_after_the_other)
{
    struct plan *p = plan_make(singles, 3, 1, false);
    ck_assert_uint_eq(p->nrounds, 3);
    for (unsigned r = 0; r < 3; r++)
        expect_part(p, r, 0, (struct part){r, 0, 0, 1});
    plan_free(p);
}
END_TEST

START_TEST(more_traces_than_threads_make_rounds)
{
    struct plan *p = plan_make(singles, 20, 8, false);
    expect_sound(p, 20);
    ck_assert_uint_eq(p->nrounds, 3);
    expect_part(p, 1, 3, (struct part){11, 0, 3, 1});
    ck_assert_uint_eq(p->rounds[2].nthreads, 4);
    plan_free(p);
}
END_TEST

START_TEST(fewer_traces_than_threads_are_shared_as_i_mod_t)
{
    struct plan *p = plan_make(singles, 3, 8, false);
    ck_assert_uint_eq(p->nrounds, 1);
    ck_assert_uint_eq(p->rounds[0].nparts, 8);
    for (unsigned i = 0; i < 8; i++)
        expect_part(p, 0, i, (struct part){i % 3, i / 3, i, 1});
    plan_free(p);
}
END_TEST

START_TEST(as_many_traces_as_threads_fill_one_round)
{
    struct plan *p = plan_make(singles, 16, 16, false);
    expect_sound(p, 16);
    ck_assert_uint_eq(p->nrounds, 1);
    ck_assert_uint_eq(p->rounds[0].nthreads, 16);
    plan_free(p);
}
END_TEST

START_TEST(a_threaded_trace_takes_consecutive_threads)
{
    const unsigned want[] = {1, 3, 1};
    struct plan *p = plan_make(want, 3, 5, false);
    ck_assert_uint_eq(p->nrounds, 1);
    expect_part(p, 0, 1, (struct part){1, 0, 1, 3});
    expect_part(p, 0, 2, (struct part){2, 0, 4, 1});
    plan_free(p);
}
END_TEST

START_TEST(a_trace_with_more_threads_than_there_are_is_folded)
{
    const unsigned want[] = {8};
    struct plan *p = plan_make(want, 1, 3, false);
    expect_part(p, 0, 0, (struct part){0, 0, 0, 3});
    plan_free(p);
    p = plan_make(want, 1, 1, false);
    expect_part(p, 0, 0, (struct part){0, 0, 0, 1});
    plan_free(p);
}
END_TEST

START_TEST(what_does_not_fit_leaves_its_place_to_the_next_that_does)
{
    const unsigned want[] = {1, 1, 3, 1, 1};
    struct plan *p = plan_make(want, 5, 4, false);
    expect_sound(p, 5);
    ck_assert_uint_eq(p->nrounds, 2);
    expect_part(p, 0, 2, (struct part){3, 0, 2, 1});
    expect_part(p, 0, 3, (struct part){4, 0, 3, 1});
    expect_part(p, 1, 0, (struct part){2, 0, 0, 3});
    plan_free(p);
}
END_TEST

START_TEST(a_last_round_of_several_is_not_filled_up)
{
    struct plan *p = plan_make(singles, 5, 4, false);
    ck_assert_uint_eq(p->nrounds, 2);
    ck_assert_uint_eq(p->rounds[1].nparts, 1);
    plan_free(p);
}
END_TEST

START_TEST(same_gives_every_trace_to_all_threads)
{
    const unsigned want[] = {1, 2, 5};
    struct plan *p = plan_make(want, 3, 5, true);
    expect_sound(p, 3);
    ck_assert_uint_eq(p->nrounds, 3);
    ck_assert_uint_eq(p->rounds[0].nparts, 5);
    ck_assert_uint_eq(p->rounds[1].nparts, 2); /* the fifth thread idles */
    expect_part(p, 1, 1, (struct part){1, 1, 2, 2});
    ck_assert_uint_eq(p->rounds[2].nparts, 1);
    plan_free(p);
}
END_TEST

START_TEST(every_mixture_is_had_whole)
{
    unsigned want[40];
    for (unsigned seed = 1; seed < 200; seed++) {
        unsigned n = 1 + seed % 40, x = seed;
        for (unsigned t = 0; t < n; t++) {
            x = x * 1103515245 + 12345;
            want[t] = 1 + (x >> 16) % 20;
        }
        for (unsigned threads = 1; threads < 40; threads += 6) {
            struct plan *p = plan_make(want, n, threads, seed % 2);
            expect_sound(p, n);
            plan_free(p);
        }
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("plan");
    TCase *c = tcase_create("plan");
    suite_add_tcase(s, c);
    tcase_add_test(c, one_thread_has_one_trace_after_the_other);
    tcase_add_test(c, more_traces_than_threads_make_rounds);
    tcase_add_test(c, fewer_traces_than_threads_are_shared_as_i_mod_t);
    tcase_add_test(c, as_many_traces_as_threads_fill_one_round);
    tcase_add_test(c, a_threaded_trace_takes_consecutive_threads);
    tcase_add_test(c, a_trace_with_more_threads_than_there_are_is_folded);
    tcase_add_test(c, what_does_not_fit_leaves_its_place_to_the_next_that_does);
    tcase_add_test(c, a_last_round_of_several_is_not_filled_up);
    tcase_add_test(c, same_gives_every_trace_to_all_threads);
    tcase_add_test(c, every_mixture_is_had_whole);
    return run_suite(s);
}
