/* test_script_play.c - scripts performed in file order, with the numbers of
 * blocks instead of blocks: every operation finds its own
 * (driver/trace/script.h). The trace has no `f -1`, so each operation has a
 * block. */
#include "driver/trace/script.h"

#include "tests/run_tests.h"
#include "tests/threaded_trace.h"

#define THREADS 6
#define NOTHING 0
#define READ UINT32_MAX

/* A block is its id + 1. */
struct player {
    const struct script *s;
    uint32_t held[THREADS][THREADED_IDS + 1]; /* of each lane, by slot */
    size_t op[THREADS], in[THREADS], out[THREADS];
    uint32_t *entry; /* the block that was posted, NOTHING, or READ */
    unsigned *giver; /* of each entry: the lane that posted it */
    uint32_t next[THREADS][THREADS]; /* entry that a pair's next one must be */
};

static struct player *player_new(const struct trace *t, unsigned nlanes)
{
    struct player *p = calloc(1, sizeof *p);
    p->s = script_make(t, nlanes);
    p->entry = calloc(p->s->nhands + 1, sizeof *p->entry);
    p->giver = calloc(p->s->nhands + 1, sizeof *p->giver);
    return p;
}

static void player_free(struct player *p)
{
    script_free((struct script *)p->s);
    free(p->entry);
    free(p->giver);
    free(p);
}

/* Those of a pair lie one behind the other, from the start of a line on. What
 * another pair has there would be found at its turn, as taken. */
static void check_place(struct player *p, unsigned lane, uint32_t entry)
{
    uint32_t *next = &p->next[p->giver[entry]][lane];
    if (*next == 0)
        ck_assert_uint_eq(entry % SCRIPT_LINE, 0);
    else
        ck_assert_uint_eq(entry, *next);
    *next = entry + 1;
}

/* A pair's last line is filled with entries of nobody. */
static void check_fill(const struct player *p)
{
    for (unsigned from = 0; from < THREADS; from++)
        for (unsigned to = 0; to < THREADS; to++)
            for (uint32_t e = p->next[from][to]; e % SCRIPT_LINE; e++)
                ck_assert_uint_eq(p->entry[e], NOTHING);
}

static void take(struct player *p, unsigned lane, uint32_t slot, uint32_t block)
{
    uint32_t entry = p->s->lanes[lane].in[p->in[lane]++];
    ck_assert_uint_lt(entry, p->s->nhands);
    ck_assert_uint_eq(p->entry[entry], block);
    p->entry[entry] = READ; /* S2: read once */
    check_place(p, lane, entry);
    ck_assert_uint_eq(p->held[lane][slot], NOTHING); /* S5 */
    p->held[lane][slot] = block;
}

static void give(struct player *p, unsigned lane, uint32_t block)
{
    uint32_t entry = p->s->lanes[lane].out[p->out[lane]++];
    ck_assert_uint_lt(entry, p->s->nhands);
    ck_assert_uint_eq(p->entry[entry], NOTHING); /* S2: written once */
    p->entry[entry] = block;
    p->giver[entry] = lane;
}

static void play_op(struct player *p, size_t i)
{
    const struct trace_op *of = &p->s->trace->ops[i];
    unsigned lane = of->thread % p->s->nlanes;
    const struct script_lane *l = &p->s->lanes[lane];
    size_t n = p->op[lane]++;
    uint32_t slot = l->ops[n].id, block = of->id + 1;
    ck_assert_uint_eq(script_index(l, n), i);
    ck_assert_uint_lt(slot, l->nslots);
    ck_assert_uint_ne(slot, 0);
    if (l->ops[n].wait)
        take(p, lane, slot, block);
    else if (of->kind == TRACE_MALLOC)
        ck_assert_uint_eq(p->held[lane][slot], NOTHING); /* S5 */
    else
        ck_assert_uint_eq(p->held[lane][slot], block);
    p->held[lane][slot] = block;
    if (l->ops[n].script_post)
        give(p, lane, block);
    if (l->ops[n].script_post || of->kind == TRACE_FREE)
        p->held[lane][slot] = NOTHING;
}

/* S4: what is listed is held, and nothing else is. */
static void check_left(struct player *p, unsigned lane)
{
    const struct script_lane *l = &p->s->lanes[lane];
    for (size_t k = 0; k < l->nleft; k++) {
        ck_assert_uint_ne(p->held[lane][l->left[k]], NOTHING);
        p->held[lane][l->left[k]] = NOTHING;
    }
    for (size_t slot = 0; slot < l->nslots; slot++)
        ck_assert_uint_eq(p->held[lane][slot], NOTHING);
    ck_assert(p->op[lane] == l->nops && p->in[lane] == l->nin &&
              p->out[lane] == l->nout);
}

static void play(const struct trace *t, unsigned nlanes)
{
    struct player *p = player_new(t, nlanes);
    for (size_t i = 0; i < t->nops; i++)
        play_op(p, i);
    for (unsigned lane = 0; lane < nlanes; lane++)
        check_left(p, lane);
    check_fill(p);
    ck_assert_uint_eq(p->s->nhands == 0, nlanes == 1);
    player_free(p);
}

START_TEST(every_operation_finds_its_block_in_any_number_of_lanes)
{
    struct trace *t = threaded_trace(THREADS, 1);
    for (unsigned nlanes = 1; nlanes <= THREADS; nlanes++)
        play(t, nlanes);
    trace_free(t);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("script_play");
    TCase *c = tcase_create("script_play");
    suite_add_tcase(s, c);
    tcase_add_test(c, every_operation_finds_its_block_in_any_number_of_lanes);
    return run_suite(s);
}
