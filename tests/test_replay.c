/* test_replay.c - lanes that hand blocks over (driver/run/replay.h,
 * resident.h). */
#include "driver/run/replay.h"

#include "driver/base/driver_mem.h"
#include "driver/base/team.h"
#include "driver/run/resident.h"
#include "tests/run_tests.h"
#include "tests/threaded_trace.h"

#define THREADS 4
#define ROUNDS 20
#define LIVE 0x6c697665

/* ---- an allocator that knows what is live -------------------------------- */

/* Before each block. */
struct head {
    _Alignas(16) atomic_uint live; /* LIVE, or freed */
};

static atomic_size_t nlive, nfreed_by[THREADS];
static _Thread_local unsigned self;

static void *know_malloc(size_t size)
{
    struct head *h = malloc(sizeof *h + size);
    atomic_init(&h->live, LIVE);
    atomic_fetch_add(&nlive, 1);
    return h + 1;
}

static void know_free(void *p)
{
    struct head *h = (struct head *)p - 1;
    if (!p)
        return;
    ck_assert_uint_eq(atomic_exchange(&h->live, 0), LIVE);
    atomic_fetch_sub(&nlive, 1);
    atomic_fetch_add(&nfreed_by[self], 1);
    free(h);
}

static void *know_realloc(void *p, size_t size)
{
    void *q = know_malloc(size);
    know_free(p);
    return q;
}

static const struct mm_allocator know = {
    .name = "know",
    .malloc = know_malloc,
    .free = know_free,
    .realloc = know_realloc,
};

/* ---- lanes --------------------------------------------------------------- */

struct players {
    struct trace *t;
    struct script *s;
    struct team *team;
    struct fault fault;
    struct resident resident;
    _Atomic uintptr_t *hands;
    size_t *sizes;
    struct mark marks[THREADS];
    struct lane lanes[THREADS];
};

static void hello(void *unused, unsigned member)
{
    (void)unused;
    self = member;
}

static void timed(void *arg, unsigned member)
{
    replay_timed(&((struct players *)arg)->lanes[member]);
}

static void touched(void *arg, unsigned member)
{
    struct players *p = arg;
    resident_touch(&p->lanes[member], &p->resident);
}

static void clear(void *arg, unsigned member)
{
    replay_clear(&((struct players *)arg)->lanes[member]);
}

/* A lane for each thread of the trace. */
static struct players *players_new(struct trace *t)
{
    struct players *p = driver_mem_alloc(sizeof *p);
    p->t = t;
    p->s = script_make(t, t->nthreads);
    p->hands = driver_mem_alloc(p->s->nhands * sizeof *p->hands);
    p->sizes = driver_mem_alloc(t->nids * sizeof *p->sizes);
    for (unsigned k = 0; k < t->nthreads; k++)
        p->lanes[k] = (struct lane){
            .a = &know,
            .script = p->s,
            .l = &p->s->lanes[k],
            .slots = driver_mem_alloc(p->s->lanes[k].nslots * sizeof(void *)),
            .hands = p->hands,
            .sizes = p->sizes,
            .mark = &p->marks[k],
            .fault = &p->fault,
            .thread = k,
            .absurd = SIZE_MAX,
        };
    p->team = team_start(t->nthreads, false, hello, NULL);
    return p;
}

static void players_free(struct players *p)
{
    team_end(p->team, hello, NULL);
    for (unsigned k = 0; k < p->t->nthreads; k++)
        driver_mem_free(p->lanes[k].slots);
    driver_mem_free(p->hands);
    driver_mem_free(p->sizes);
    script_free(p->s);
    trace_free(p->t);
    driver_mem_free(p);
}

static struct players *players_of(const char *text)
{
    char err[256];
    struct trace *t = trace_parse("test", text, strlen(text), err, sizeof err);
    ck_assert_msg(t != NULL, "%s", err);
    return players_new(t);
}

static size_t entries_set(const struct players *p)
{
    size_t n = 0;
    for (size_t i = 0; i < p->s->nhands; i++)
        n += p->hands[i] != 0;
    return n;
}

/* ---- tests --------------------------------------------------------------- */

START_TEST(each_block_is_freed_once_whoever_has_it_and_however_often_it_moved)
{
    struct players *p = players_new(threaded_trace(THREADS, 2));
    size_t left = 0, posts = 0;
    for (unsigned k = 0; k < THREADS; k++) {
        left += p->s->lanes[k].nleft;
        posts += p->s->lanes[k].nout;
    }
    for (int i = 0; i < ROUNDS; i++) {
        team_run(p->team, timed, p);
        ck_assert_uint_eq(atomic_load(&nlive), left);
        ck_assert_uint_eq(entries_set(p), posts);
        team_run(p->team, clear, p);
        ck_assert_uint_eq(atomic_load(&nlive), 0);
        ck_assert_uint_eq(entries_set(p), 0);
    }
    ck_assert(!fault_seen(&p->fault));
    players_free(p);
}
END_TEST

/* Thread 1 has block 0 last, and only resized it. */
START_TEST(a_block_is_left_to_the_lane_that_had_it_last)
{
    struct players *p = players_of("mmtrace 1\nids 2\nops 4\nthreads 2\n"
                                   "@0 a 0 8\n@0 a 1 8\n@1 r 0 9\n@0 f 1\n");
    team_run(p->team, timed, p);
    ck_assert_uint_eq(atomic_load(&nlive), 1);
    size_t before = atomic_load(&nfreed_by[1]);
    team_run(p->team, clear, p);
    ck_assert_uint_eq(atomic_load(&nfreed_by[1]), before + 1);
    ck_assert_uint_eq(atomic_load(&nlive), 0);
    players_free(p);
}
END_TEST

START_TEST(an_id_is_used_again_only_after_the_other_lane_s_free)
{
    struct players *p = players_of("mmtrace 1\nids 1\nops 6\nthreads 2\n"
                                   "@0 a 0 8\n@1 f 0\n@0 a 0 8\n@1 f 0\n"
                                   "@0 a 0 8\n@1 f 0\n");
    for (int i = 0; i < ROUNDS; i++) {
        team_run(p->team, timed, p);
        ck_assert_uint_eq(atomic_load(&nlive), 0);
        team_run(p->team, clear, p);
    }
    ck_assert_uint_eq(atomic_load(&nfreed_by[0]), 0);
    ck_assert_uint_eq(atomic_load(&nfreed_by[1]), 3 * ROUNDS);
    players_free(p);
}
END_TEST

/* Its size goes with a block: 100 bytes of one lane, made 500 by another, freed
 * by the first. Both lanes' other block is in the same slot meanwhile. */
START_TEST(the_touch_pass_keeps_account_of_blocks_that_change_hands)
{
    struct players *p = players_of(
        "mmtrace 1\nids 3\nops 6\nthreads 2\n@0 a 0 100\n@1 r 0 500\n"
        "@0 a 1 30\n@0 f 0\n@1 a 2 7\n@0 f 1\n");
    for (int i = 0; i < ROUNDS; i++) {
        resident_begin(&p->resident, 500, 2);
        team_run(p->team, touched, p);
        ck_assert_uint_eq(p->resident.live, 7);
        ck_assert_uint_ge(p->resident.peak_live, 500);
        ck_assert_uint_le(p->resident.peak_live, 537);
        team_run(p->team, clear, p);
    }
    players_free(p);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("replay");
    TCase *c = tcase_create("replay");
    suite_add_tcase(s, c);
    tcase_add_test(
        c, each_block_is_freed_once_whoever_has_it_and_however_often_it_moved);
    tcase_add_test(c, a_block_is_left_to_the_lane_that_had_it_last);
    tcase_add_test(c, an_id_is_used_again_only_after_the_other_lane_s_free);
    tcase_add_test(c, the_touch_pass_keeps_account_of_blocks_that_change_hands);
    return run_suite(s);
}
