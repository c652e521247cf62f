/* test_script.c - traces made ready for lanes (driver/trace/script.h). */
#include "driver/trace/script.h"
#include "tests/run_tests.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct trace *parse(const char *text)
{
    char err[512];
    struct trace *t = trace_parse("test", text, strlen(text), err, sizeof err);
    ck_assert_msg(t != NULL, "%s", err);
    return t;
}

START_TEST(a_slot_is_used_again_after_its_free)
{
    struct trace *t = parse("mmtrace 1\nids 3\nops 6\na 0 8\na 1 8\nf 0\n"
                            "a 2 8\nf 1\nf 2\n");
    struct script *s = script_make(t, 1);
    const struct trace_op *op = s->lanes[0].ops;
    ck_assert_uint_eq(s->lanes->nslots, 3); /* slot 0, two blocks live */
    ck_assert_uint_ne(op[0].id, op[1].id);
    ck_assert_uint_eq(op[2].id, op[0].id);
    ck_assert_uint_eq(op[3].id, op[0].id);
    ck_assert_uint_eq(s->lanes[0].nleft, 0);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(free_of_no_block_has_the_slot_that_is_never_written)
{
    struct trace *t = parse("mmtrace 1\nids 1\nops 2\na 0 8\nf -1\n");
    struct script *s = script_make(t, 1);
    ck_assert_uint_eq(s->lanes[0].ops[1].id, 0);
    ck_assert_uint_ne(s->lanes[0].ops[0].id, 0);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(what_a_trace_leaves_is_listed)
{
    struct trace *t = parse("mmtrace 1\nids 3\nops 5\na 0 8\na 1 8\na 2 8\n"
                            "f 1\nr 2 20\n");
    struct script *s = script_make(t, 1);
    const struct script_lane *l = s->lanes;
    ck_assert_uint_eq(l->nleft, 2);
    ck_assert_uint_eq(l->left[0], l->ops[0].id);
    ck_assert_uint_eq(l->left[1], l->ops[2].id);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(calloc_keeps_its_count_and_its_element)
{
    struct trace *t = parse("mmtrace 1\nids 2\nops 2\nc 0 12 5\n"
                            "c 1 3 100000\n");
    struct script *s = script_make(t, 1);
    const struct trace_op *op = s->lanes[0].ops;
    ck_assert(op[0].size == 12 && op[0].elem == 5);
    ck_assert_uint_eq(script_bytes(&op[0]), 60);
    ck_assert_uint_eq(script_bytes(&op[1]), 300000);
    ck_assert_uint_ne(op[1].elem, 0);
    script_free(s);
    trace_free(t);
}
END_TEST

/* Thread 1 frees block 0 and resizes block 1, which thread 0 then frees. */
static const char crossing[] = "mmtrace 1\nids 2\nops 5\nthreads 2\n@0\na 0 8\n"
                               "a 1 8\n@1\nf 0\nr 1 9\n@0\nf 1\n";

START_TEST(lanes_wait_and_post_where_a_block_changes_hands)
{
    struct trace *t = parse(crossing);
    struct script *s = script_make(t, 2);
    const struct script_lane *a = &s->lanes[0], *b = &s->lanes[1];
    ck_assert_uint_eq(a->nops, 3);
    ck_assert_uint_eq(b->nops, 2);
    ck_assert(!a->ops[0].wait && a->ops[0].script_post);
    ck_assert(!a->ops[1].wait && a->ops[1].script_post);
    ck_assert(b->ops[0].wait && !b->ops[0].script_post);
    ck_assert(b->ops[1].wait && b->ops[1].script_post);
    ck_assert(a->ops[2].wait && !a->ops[2].script_post);
    ck_assert(a->nout == 2 && b->nin == 2 && b->nout == 1 && a->nin == 1);
    ck_assert(a->out[0] == b->in[0] && a->out[1] == b->in[1]);
    ck_assert_uint_eq(a->in[0], b->out[0]);
    ck_assert_uint_eq(script_index(b, 1), 3);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(one_lane_of_a_threaded_trace_waits_for_no_one)
{
    struct trace *t = parse(crossing);
    struct script *s = script_make(t, 1);
    ck_assert_uint_eq(s->lanes[0].nops, 5);
    for (size_t i = 0; i < 5; i++)
        ck_assert(!s->lanes[0].ops[i].wait && script_index(s->lanes, i) == i);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(threads_that_fold_into_one_lane_do_not_wait_for_each_other)
{
    struct trace *t = parse("mmtrace 1\nids 1\nops 3\nthreads 3\n@0\na 0 8\n"
                            "@2\nr 0 9\n@1\nf 0\n");
    struct script *s = script_make(t, 2); /* threads 0 and 2 are lane 0 */
    ck_assert_uint_eq(s->lanes[0].nops, 2);
    ck_assert(!s->lanes[0].ops[1].wait);
    ck_assert(!s->lanes[0].ops[0].script_post);
    ck_assert(s->lanes[0].ops[1].script_post && s->lanes[1].ops[0].wait);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(the_last_lane_to_touch_a_block_frees_what_is_left_of_it)
{
    struct trace *t = parse("mmtrace 1\nids 2\nops 3\nthreads 2\n@0\na 0 8\n"
                            "a 1 8\n@1\nr 0 9\n");
    struct script *s = script_make(t, 2);
    ck_assert_uint_eq(s->lanes[0].nleft, 1);
    ck_assert_uint_eq(s->lanes[0].left[0], s->lanes[0].ops[1].id);
    ck_assert_uint_eq(s->lanes[1].nleft, 1);
    ck_assert_uint_eq(s->lanes[1].left[0], s->lanes[1].ops[0].id);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(each_lane_has_slots_of_its_own)
{
    struct trace *t = parse("mmtrace 1\nids 3\nops 3\nthreads 2\n@0\na 0 8\n"
                            "@1\na 1 8\n@0\na 2 8\n");
    struct script *s = script_make(t, 2);
    const struct script_lane *a = &s->lanes[0], *b = &s->lanes[1];
    ck_assert_uint_eq(a->nslots, 3);
    ck_assert_uint_eq(b->nslots, 2);
    ck_assert(a->ops[0].id == 1 && a->ops[1].id == 2 && b->ops[0].id == 1);
    ck_assert_uint_eq(s->nhands, 0);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(a_slot_is_used_again_while_its_block_is_another_lane_s)
{
    struct trace *t = parse("mmtrace 1\nids 2\nops 5\nthreads 2\n@0\na 0 8\n"
                            "@1\nr 0 9\n@0\na 1 8\nf 0\nf 1\n");
    struct script *s = script_make(t, 2);
    const struct trace_op *op = s->lanes[0].ops;
    ck_assert_uint_eq(s->lanes[0].nslots, 3);
    ck_assert(op[0].id == 1 && op[1].id == 1); /* a 0, posted; a 1 */
    ck_assert(op[2].id == 2 && op[3].id == 1); /* f 0, back again; f 1 */
    ck_assert_uint_eq(s->lanes[1].nslots, 2);
    ck_assert_uint_eq(s->lanes[0].nleft + s->lanes[1].nleft, 0);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(a_malloc_that_waits_for_another_lane_s_free_has_a_slot_of_its_own)
{
    struct trace *t = parse("mmtrace 1\nids 1\nops 4\nthreads 2\n@0\na 0 8\n"
                            "@1\nf 0\n@0\na 0 8\nf 0\n");
    struct script *s = script_make(t, 2);
    const struct script_lane *a = &s->lanes[0], *b = &s->lanes[1];
    ck_assert(a->ops[1].wait && b->ops[0].script_post);
    ck_assert_uint_eq(a->in[0], b->out[0]);
    ck_assert(a->ops[1].id == 1 && a->ops[2].id == 1);
    ck_assert(!a->ops[2].wait && !a->ops[1].script_post);
    script_free(s);
    trace_free(t);
}
END_TEST

START_TEST(entries_lie_as_who_waits_comes_to_them_and_pairs_have_lines_apart)
{
    struct trace *t = parse("mmtrace 1\nids 3\nops 6\nthreads 3\n@0\na 0 8\n"
                            "a 1 8\n@2\na 2 8\n@1\nf 1\nf 2\nf 0\n");
    struct script *s = script_make(t, 3);
    const struct script_lane *l = s->lanes;
    ck_assert_uint_eq(s->nhands, 2 * SCRIPT_LINE);
    ck_assert(l[1].in[0] == 0 && l[1].in[1] == SCRIPT_LINE && l[1].in[2] == 1);
    ck_assert(l[0].out[0] == 1 && l[0].out[1] == 0);
    ck_assert_uint_eq(l[2].out[0], SCRIPT_LINE);
    script_free(s);
    trace_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("script");
    TCase *c = tcase_create("script");
    suite_add_tcase(s, c);
    tcase_add_test(c, a_slot_is_used_again_after_its_free);
    tcase_add_test(c, free_of_no_block_has_the_slot_that_is_never_written);
    tcase_add_test(c, what_a_trace_leaves_is_listed);
    tcase_add_test(c, calloc_keeps_its_count_and_its_element);
    tcase_add_test(c, lanes_wait_and_post_where_a_block_changes_hands);
    tcase_add_test(c, one_lane_of_a_threaded_trace_waits_for_no_one);
    tcase_add_test(c,
                   threads_that_fold_into_one_lane_do_not_wait_for_each_other);
    tcase_add_test(c, the_last_lane_to_touch_a_block_frees_what_is_left_of_it);
    tcase_add_test(c, each_lane_has_slots_of_its_own);
    tcase_add_test(c, a_slot_is_used_again_while_its_block_is_another_lane_s);
    tcase_add_test(
        c, a_malloc_that_waits_for_another_lane_s_free_has_a_slot_of_its_own);
    tcase_add_test(
        c, entries_lie_as_who_waits_comes_to_them_and_pairs_have_lines_apart);
    return run_suite(s);
}
