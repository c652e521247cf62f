/* script.c - see script.h.
 *
 * In three steps: which lane hands what to which, which sizes all tables; then
 * each lane's operations, and the entries by which they meet; then, a lane
 * after the other, slots. */
#include "driver/trace/script.h"

#include "driver/base/driver_mem.h"

#define NONE UINT32_MAX
#define NO_SLOT 0

/* What is known of the trace while its script is made. */
struct draft {
    struct script *s;
    uint32_t *before; /* of each operation: the one before on its block, if
                       * that is another lane's; else NONE */
    uint32_t *hand;   /* of each that posts: its entry */
    uint32_t *next;   /* of each pair of lanes: its next entry */
    uint32_t *of_id;  /* the slot of each block of one lane, or NO_SLOT */
    uint32_t *spare;  /* slots that are free to be used again, the last one */
    size_t nspare;    /* on top */
};

static struct script_lane *lane_of(const struct script *s, size_t i)
{
    return &s->lanes[s->trace->ops[i].thread % s->nlanes];
}

/* ---- hand-overs ---------------------------------------------------------- */

/* Pairs that one lane reads lie together. */
static uint32_t *pair(const struct draft *d, const struct script_lane *from,
                      const struct script_lane *to)
{
    const struct script_lane *first = d->s->lanes;
    return &d->next[(size_t)(to - first) * d->s->nlanes +
                    (size_t)(from - first)];
}

static void note_hand_over(struct draft *d, uint32_t before, size_t i)
{
    struct script_lane *from = lane_of(d->s, before), *to = lane_of(d->s, i);
    if (from == to)
        return;
    d->before[i] = before;
    from->nout++;
    to->nin++;
    ++*pair(d, from, to);
}

static void find_hand_overs(struct draft *d)
{
    const struct trace *t = d->s->trace;
    uint32_t *last = driver_mem_alloc(t->nids * sizeof *last);
    for (size_t id = 0; id < t->nids; id++)
        last[id] = NONE;
    for (size_t i = 0; i < t->nops; i++) {
        uint32_t id = t->ops[i].id;
        lane_of(d->s, i)->nops++;
        d->before[i] = NONE;
        if (id == TRACE_NO_ID)
            continue;
        if (last[id] != NONE)
            note_hand_over(d, last[id], i);
        last[id] = (uint32_t)i;
    }
    driver_mem_free(last);
}

/* From how many entries each pair has to where its first is. */
static void place_entries(struct draft *d)
{
    struct script *s = d->s;
    for (size_t k = 0; k < (size_t)s->nlanes * s->nlanes; k++) {
        size_t n = d->next[k];
        d->next[k] = (uint32_t)s->nhands;
        s->nhands += (n + SCRIPT_LINE - 1) / SCRIPT_LINE * SCRIPT_LINE;
    }
}

/* ---- operations ---------------------------------------------------------- */

/* S3; all but calloc stay as they are. */
static struct trace_op prepare(struct trace_op op)
{
    op.wait = 0;
    op.script_post = 0;
    if (op.kind == TRACE_CALLOC) {
        op.elem = op.elem ? op.elem : 1;
        op.size = op.size / op.elem;
    }
    return op;
}

static void alloc_lane(const struct script *s, struct script_lane *l)
{
    l->ops = driver_mem_alloc((l->nops + SCRIPT_AHEAD) * sizeof *l->ops);
    l->in = driver_mem_alloc(l->nin * sizeof *l->in);
    l->out = driver_mem_alloc(l->nout * sizeof *l->out);
    if (s->nlanes > 1)
        l->index = driver_mem_alloc(l->nops * sizeof *l->index);
    l->nops = l->nin = l->nout = 0;
}

/* Operation i of the trace; its id stays for now. S2: the wait. */
static void append(struct draft *d, size_t i)
{
    struct script_lane *l = lane_of(d->s, i);
    struct trace_op op = prepare(d->s->trace->ops[i]);
    uint32_t before = d->before[i];
    if (before != NONE) {
        uint32_t entry = (*pair(d, lane_of(d->s, before), l))++;
        op.wait = 1;
        l->in[l->nin++] = entry;
        d->hand[before] = entry;
    }
    if (l->index)
        l->index[l->nops] = (uint32_t)i;
    l->ops[l->nops++] = op;
}

/* S2: the posts, which are known when all operations are. */
static void find_posts(struct draft *d, struct script_lane *l)
{
    for (size_t i = 0; i < l->nops; i++) {
        uint32_t entry = d->hand[script_index(l, i)];
        if (entry == NONE)
            continue;
        l->ops[i].script_post = 1;
        l->out[l->nout++] = entry;
    }
}

/* ---- slots --------------------------------------------------------------- */

static uint32_t take_slot(struct draft *d, struct script_lane *l, uint32_t id)
{
    if (d->of_id[id] == NO_SLOT)
        d->of_id[id] =
            d->nspare ? d->spare[--d->nspare] : (uint32_t)l->nslots++;
    return d->of_id[id];
}

static void drop_slot(struct draft *d, uint32_t id)
{
    d->spare[d->nspare++] = d->of_id[id];
    d->of_id[id] = NO_SLOT;
}

/* S4; no slot of the lane is taken any more. */
static void list_left(struct draft *d, struct script_lane *l)
{
    l->left = driver_mem_alloc(l->nslots * sizeof *l->left);
    for (size_t id = 0; id < d->s->trace->nids; id++)
        if (d->of_id[id] != NO_SLOT) {
            l->left[l->nleft++] = d->of_id[id];
            d->of_id[id] = NO_SLOT;
        }
}

static void assign_slots(struct draft *d, struct script_lane *l)
{
    l->nslots = 1; /* S1: slot 0 */
    d->nspare = 0;
    for (size_t i = 0; i < l->nops; i++) {
        struct trace_op *op = &l->ops[i];
        uint32_t id = op->id;
        op->id = id == TRACE_NO_ID ? NO_SLOT : take_slot(d, l, id);
        if (op->id != NO_SLOT && (op->kind == TRACE_FREE || op->script_post))
            drop_slot(d, id); /* S5 */
    }
    list_left(d, l);
}

/* ---- all ----------------------------------------------------------------- */

static void fill(struct draft *d)
{
    struct script *s = d->s;
    find_hand_overs(d);
    place_entries(d);
    for (unsigned k = 0; k < s->nlanes; k++)
        alloc_lane(s, &s->lanes[k]);
    for (size_t i = 0; i < s->trace->nops; i++)
        d->hand[i] = NONE;
    for (size_t i = 0; i < s->trace->nops; i++)
        append(d, i);
    for (unsigned k = 0; k < s->nlanes; k++) {
        find_posts(d, &s->lanes[k]);
        assign_slots(d, &s->lanes[k]);
    }
}

struct script *script_make(const struct trace *t, unsigned nlanes)
{
    struct script *s = driver_mem_alloc(sizeof *s);
    s->trace = t;
    s->nlanes = nlanes;
    s->lanes = driver_mem_alloc(nlanes * sizeof *s->lanes);
    struct draft d = {
        .s = s,
        .before = driver_mem_alloc(t->nops * sizeof *d.before),
        .hand = driver_mem_alloc(t->nops * sizeof *d.hand),
        .next = driver_mem_alloc((size_t)nlanes * nlanes * sizeof *d.next),
        .of_id = driver_mem_alloc(t->nids * sizeof *d.of_id),
        .spare = driver_mem_alloc(t->nids * sizeof *d.spare),
    };
    fill(&d);
    driver_mem_free(d.before);
    driver_mem_free(d.hand);
    driver_mem_free(d.next);
    driver_mem_free(d.of_id);
    driver_mem_free(d.spare);
    return s;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    for (unsigned k = 0; k < s->nlanes; k++) {
        driver_mem_free(s->lanes[k].ops);
        driver_mem_free(s->lanes[k].index);
        driver_mem_free(s->lanes[k].in);
        driver_mem_free(s->lanes[k].out);
        driver_mem_free(s->lanes[k].left);
    }
    driver_mem_free(s->lanes);
    driver_mem_free(s);
}
