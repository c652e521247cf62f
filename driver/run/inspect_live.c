/* inspect_live.c - which blocks are live at a cut, and where.
 *
 * That follows from the trace: its operations are gone through in file order,
 * as the lanes performed them, and for each id it is noted who holds its
 * address: a slot of the lane that touched it last, or, if that lane has handed
 * it over and nobody has taken it yet, an entry. */
#include "driver/run/inspect_inside.h"

static void made(struct held *h, const struct trace_op *op, size_t j)
{
    size_t size = op->size;
    bool resize = op->kind == TRACE_REALLOC && h->live;
    h->unsure |= size > h->lane->absurd;
    if (!resize) {
        h->filled = 0;
        h->written = op->kind != TRACE_REALLOC && size > 0;
        h->byte = replay_byte(h->lane, j);
        h->unsure = size > h->lane->absurd;
    }
    h->written &= size > 0;
    if (h->filled > size)
        h->filled = size;
    h->live = op->kind != TRACE_REALLOC || size > 0;
    h->size = size;
}

static void go_through(struct walk *w, size_t cut)
{
    const struct trace *t = trace_of(w);
    for (; w->at < cut; w->at++) {
        const struct trace_op *op = &t->ops[w->at];
        unsigned k = w->nlanes == 1 ? 0 : op->thread % w->nlanes;
        struct lane *lane = &w->lanes[k];
        size_t j = w->done[k]++;
        const struct trace_op *own = &lane->l->ops[j];
        if (op->id == TRACE_NO_ID)
            continue;
        struct held *h = &w->held[op->id];
        h->lane = lane;
        h->slot = own->id;
        h->op = (uint32_t)w->at;
        h->posted = own->script_post;
        if (h->posted)
            h->hand = lane->l->out[w->outs[k]++];
        if (op->kind == TRACE_FREE)
            h->live = false;
        else
            made(h, op, j);
    }
}

static unsigned char *address(const struct held *h)
{
    uintptr_t hand;
    if (!h->posted)
        return h->lane->slots[h->slot];
    hand = atomic_load_explicit(&h->lane->hands[h->hand], memory_order_acquire);
    return (unsigned char *)(hand ? hand - 1 : 0);
}

static void gather(struct inspection *x)
{
    x->nplaces = 0;
    for (unsigned p = 0; p < x->round->nparts; p++) {
        struct walk *w = &x->walks[p];
        for (size_t id = 0; id < trace_of(w)->nids; id++) {
            struct held *h = &w->held[id];
            unsigned char *at = h->live && !h->unsure ? address(h) : NULL;
            if (at)
                x->places[x->nplaces++] = (struct place){at, h, w};
        }
    }
}

/* Heapsort: the C library's would allocate. */
static void sift(struct place *v, size_t i, size_t n)
{
    for (size_t child; (child = 2 * i + 1) < n; i = child) {
        if (child + 1 < n && v[child + 1].p > v[child].p)
            child++;
        if (v[i].p >= v[child].p)
            return;
        struct place swap = v[i];
        v[i] = v[child];
        v[child] = swap;
    }
}

static void sort(struct place *v, size_t n)
{
    for (size_t i = n / 2; i-- > 0;)
        sift(v, i, n);
    for (size_t end = n; end-- > 1;) {
        struct place swap = v[0];
        v[0] = v[end];
        v[end] = swap;
        sift(v, 0, end);
    }
}

void inspect_find(struct inspection *x, unsigned cut)
{
    for (unsigned p = 0; p < x->round->nparts; p++)
        go_through(&x->walks[p], x->walks[p].cut[cut]);
    gather(x);
    sort(x->places, x->nplaces);
}
