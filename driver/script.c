/* script.c - see script.h. */
#include "driver/script.h"

#include "driver/dmem.h"

#define NO_SLOT 0
#define SLOTS_APART 4 /* slots of one lane fill whole lines of cache */

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

static void lane_alloc(struct script_lane *l, size_t nops)
{
    l->nops = nops;
    l->ops = dmem_alloc((nops + SCRIPT_AHEAD) * sizeof *l->ops);
}

/* ---- one lane ------------------------------------------------------------ */

/* Slots that are free to be used again, the last one on top. */
struct slots {
    uint32_t *of_id; /* NO_SLOT: not live */
    uint32_t *spare;
    size_t nspare, nslots;
};

static uint32_t slot_take(struct slots *s, uint32_t id)
{
    if (s->of_id[id] == NO_SLOT)
        s->of_id[id] =
            s->nspare ? s->spare[--s->nspare] : (uint32_t)s->nslots++;
    return s->of_id[id];
}

static uint32_t slot_drop(struct slots *s, uint32_t id)
{
    uint32_t slot = s->of_id[id];
    s->of_id[id] = NO_SLOT;
    if (slot != NO_SLOT)
        s->spare[s->nspare++] = slot;
    return slot;
}

static void list_left(struct script_lane *l, const struct slots *s, size_t nids)
{
    l->left = dmem_alloc(s->nslots * sizeof *l->left);
    for (size_t id = 0; id < nids; id++)
        if (s->of_id[id] != NO_SLOT)
            l->left[l->nleft++] = s->of_id[id];
}

static void make_single(struct script *s)
{
    const struct trace *t = s->trace;
    struct script_lane *l = s->lanes;
    struct slots slots = {
        .of_id = dmem_alloc(t->nids * sizeof *slots.of_id),
        .spare = dmem_alloc(t->nids * sizeof *slots.spare),
        .nslots = 1, /* S1: slot 0 */
    };
    lane_alloc(l, t->nops);
    for (size_t i = 0; i < t->nops; i++) {
        l->ops[i] = prepare(t->ops[i]);
        if (t->ops[i].id == TRACE_NO_ID)
            l->ops[i].id = NO_SLOT;
        else if (t->ops[i].kind == TRACE_FREE)
            l->ops[i].id = slot_drop(&slots, t->ops[i].id);
        else
            l->ops[i].id = slot_take(&slots, t->ops[i].id);
    }
    list_left(l, &slots, t->nids);
    s->nslots = slots.nslots;
    dmem_free(slots.of_id);
    dmem_free(slots.spare);
}

/* ---- several lanes ------------------------------------------------------- */

#define NO_LANE UINT16_MAX

/* What is known of a block while the trace is gone through. */
struct history {
    uint32_t slot, turn;
    uint32_t last; /* index in its lane of the last operation */
    uint16_t lane; /* that lane, or NO_LANE */
    bool live;
};

static void count_ops(struct script *s)
{
    size_t n[TRACE_MAX_THREADS] = { 0 };
    for (size_t i = 0; i < s->trace->nops; i++)
        n[s->trace->ops[i].thread % s->nlanes]++;
    for (unsigned k = 0; k < s->nlanes; k++) {
        lane_alloc(&s->lanes[k], n[k]);
        s->lanes[k].turn = dmem_alloc(n[k] * sizeof *s->lanes[k].turn);
        s->lanes[k].index = dmem_alloc(n[k] * sizeof *s->lanes[k].index);
        s->lanes[k].nops = 0;
    }
}

/* A slot of the lane that makes the block first. */
static void assign_slots(struct script *s, struct history *h)
{
    for (size_t id = 0; id < s->trace->nids; id++)
        h[id].lane = NO_LANE;
    for (size_t i = 0; i < s->trace->nops; i++) {
        struct trace_op op = s->trace->ops[i];
        if (op.id == TRACE_NO_ID || h[op.id].lane != NO_LANE)
            continue;
        h[op.id].lane = (uint16_t)(op.thread % s->nlanes);
        h[op.id].slot = (uint32_t)s->lanes[h[op.id].lane].nslots++;
    }
    s->nslots = SLOTS_APART; /* S1: slot 0 */
    for (unsigned k = 0; k < s->nlanes; k++) {
        s->lanes[k].slot = s->nslots;
        s->nslots += (s->lanes[k].nslots + SLOTS_APART - 1) / SLOTS_APART *
                     SLOTS_APART;
    }
    for (size_t id = 0; id < s->trace->nids; id++)
        if (h[id].lane != NO_LANE) {
            h[id].slot += (uint32_t)s->lanes[h[id].lane].slot;
            h[id].lane = NO_LANE;
        }
}

static void hand_over(struct script *s, struct history *h, struct trace_op *op)
{
    op->wait = 1;
    s->lanes[h->lane].ops[h->last].script_post = 1;
    h->turn++;
}

static void append(struct script *s, struct history *h, size_t i)
{
    const struct trace_op *from = &s->trace->ops[i];
    unsigned lane = from->thread % s->nlanes;
    struct script_lane *l = &s->lanes[lane];
    size_t n = l->nops++;
    struct trace_op op = prepare(*from);
    op.id = NO_SLOT;
    if (h) {
        if (h->lane != NO_LANE && h->lane != lane)
            hand_over(s, h, &op);
        h->lane = (uint16_t)lane;
        h->last = (uint32_t)n;
        h->live = op.kind != TRACE_FREE;
        op.id = h->slot;
        l->turn[n] = h->turn;
    }
    l->ops[n] = op;
    l->index[n] = (uint32_t)i;
}

/* S4 */
static void list_left_shared(struct script *s, const struct history *h)
{
    size_t nids = s->trace->nids;
    for (size_t id = 0; id < nids; id++)
        if (h[id].live)
            s->lanes[h[id].lane].nleft++;
    for (unsigned k = 0; k < s->nlanes; k++) {
        struct script_lane *l = &s->lanes[k];
        l->left = dmem_alloc(l->nleft * sizeof *l->left);
        l->nleft = 0;
    }
    for (size_t id = 0; id < nids; id++)
        if (h[id].live) {
            struct script_lane *l = &s->lanes[h[id].lane];
            l->left[l->nleft++] = h[id].slot;
        }
}

static void make_shared(struct script *s)
{
    struct history *h = dmem_alloc(s->trace->nids * sizeof *h);
    count_ops(s);
    assign_slots(s, h);
    for (size_t i = 0; i < s->trace->nops; i++) {
        uint32_t id = s->trace->ops[i].id;
        append(s, id == TRACE_NO_ID ? NULL : &h[id], i);
    }
    list_left_shared(s, h);
    dmem_free(h);
}

/* ---- both ---------------------------------------------------------------- */

struct script *script_make(const struct trace *t, unsigned nlanes)
{
    struct script *s = dmem_alloc(sizeof *s);
    s->trace = t;
    s->nlanes = nlanes;
    s->lanes = dmem_alloc(nlanes * sizeof *s->lanes);
    if (nlanes == 1)
        make_single(s);
    else
        make_shared(s);
    return s;
}

void script_free(struct script *s)
{
    if (!s)
        return;
    for (unsigned k = 0; k < s->nlanes; k++) {
        dmem_free(s->lanes[k].ops);
        dmem_free(s->lanes[k].turn);
        dmem_free(s->lanes[k].index);
        dmem_free(s->lanes[k].left);
    }
    dmem_free(s->lanes);
    dmem_free(s);
}
