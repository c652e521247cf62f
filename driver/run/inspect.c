/* inspect.c - see inspect.h. */
#include "driver/run/inspect_inside.h"

#include "driver/base/driver_mem.h"
#include "driver/check/pattern.h"
#include "driver/trace/trace_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define MIN_ALIGN 16
#define FILL_ONE_IN 10
#define FILL_MOST ((size_t)1 << 20) /* bytes of a block */

static uint64_t next_random(struct inspection *x)
{
    x->random ^= x->random << 13;
    x->random ^= x->random >> 7;
    x->random ^= x->random << 17;
    return x->random;
}

/* ---- begin and end ------------------------------------------------------- */

struct inspection *inspect_new(const struct mm_allocator *a,
                               const struct round *round, struct lane *lanes,
                               uint64_t seed)
{
    struct inspection *x = driver_mem_alloc(sizeof *x);
    size_t ids = 0;
    *x = (struct inspection){.a = a, .round = round, .random = seed | 1};
    x->walks = driver_mem_alloc(round->nparts * sizeof *x->walks);
    for (unsigned p = 0; p < round->nparts; p++) {
        struct walk *w = &x->walks[p];
        w->lanes = &lanes[round->parts[p].first];
        w->nlanes = round->parts[p].lanes;
        const struct trace *t = trace_of(w);
        w->cut[3] = t->nops;
        w->cut[1] = next_random(x) % (t->nops + 1);
        w->cut[2] = w->cut[1] + next_random(x) % (t->nops - w->cut[1] + 1);
        w->done = driver_mem_alloc(w->nlanes * sizeof *w->done);
        w->outs = driver_mem_alloc(w->nlanes * sizeof *w->outs);
        w->held = driver_mem_alloc(t->nids * sizeof *w->held);
        ids += t->nids;
    }
    x->places = driver_mem_alloc(ids * sizeof *x->places);
    return x;
}

void inspect_free(struct inspection *x)
{
    for (unsigned p = 0; p < x->round->nparts; p++) {
        driver_mem_free(x->walks[p].done);
        driver_mem_free(x->walks[p].outs);
        driver_mem_free(x->walks[p].held);
    }
    driver_mem_free(x->walks);
    driver_mem_free(x->places);
    driver_mem_free(x);
}

/* How many of the lane's operations stand before the cut in the trace? */
static size_t ops_before(const struct script_lane *l, size_t cut)
{
    size_t low = 0, high = l->nops;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (script_index(l, middle) < cut)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t stop(const struct inspection *x, unsigned thread, unsigned cut)
{
    for (unsigned p = 0; p < x->round->nparts; p++) {
        const struct walk *w = &x->walks[p];
        unsigned k = thread - x->round->parts[p].first;
        if (k < w->nlanes)
            return ops_before(w->lanes[k].l, w->cut[cut]);
    }
    return 0;
}

size_t inspect_from(const struct inspection *x, unsigned thread, unsigned leg)
{
    return stop(x, thread, leg);
}

size_t inspect_to(const struct inspection *x, unsigned thread, unsigned leg)
{
    return stop(x, thread, leg + 1);
}

/* ---- faults -------------------------------------------------------------- */

static void describe(const struct place *at, char *text, size_t room)
{
    const struct trace *t = trace_of(at->w);
    snprintf(text, room, "block %u (%zu bytes at %p, %s:%u)",
             t->ops[at->h->op].id, at->h->size, (void *)at->p, t->path,
             trace_line(t, at->h->op));
}

static bool fail(const struct inspection *x, const struct place *at,
                 enum fault_kind kind, const char *what)
{
    const struct trace *t = trace_of(at->w);
    char op[TRACE_TEXT];
    trace_op_text(&t->ops[at->h->op], op, sizeof op);
    fault_set(at->h->lane->fault, kind, at->h->lane->thread,
              "%s: thread %u: %s:%u: %s of block %u: in a replay that is not "
              "checked at every operation: %s",
              x->a->name, at->h->lane->thread, t->path,
              trace_line(t, at->h->op), op, t->ops[at->h->op].id, what);
    return false;
}

static bool lies_right(const struct inspection *x, const struct place *at)
{
    char what[128];
    if ((uintptr_t)at->p % MIN_ALIGN) {
        snprintf(what, sizeof what, "%p is not a multiple of %d", (void *)at->p,
                 MIN_ALIGN);
        return fail(x, at, FAULT_ALIGN, what);
    }
    if (x->a->contains && !x->a->contains(at->p, at->h->size)) {
        snprintf(what, sizeof what,
                 "%zu bytes at %p are not inside memlib's memory", at->h->size,
                 (void *)at->p);
        return fail(x, at, FAULT_OUTSIDE, what);
    }
    return true;
}

static bool lies_apart(const struct inspection *x, const struct place *at)
{
    size_t size = at->h->size ? at->h->size : 1;
    char what[FAULT_TEXT / 2] = "it overlaps live ";
    if (at + 1 == x->places + x->nplaces || size <= (size_t)(at[1].p - at->p))
        return true;
    size_t n = strlen(what);
    describe(at + 1, what + n, sizeof what - n);
    return fail(x, at, FAULT_OVERLAP, what);
}

static bool holds_right(const struct inspection *x, const struct place *at)
{
    const struct held *h = at->h;
    char what[128];
    size_t bad = 0;
    if (h->filled)
        bad = pattern_check(at->p, h->whole, h->seed, h->filled);
    else if (!h->written || at->p[0] == h->byte)
        return true;
    if (bad == PATTERN_OK)
        return true;
    snprintf(what, sizeof what, "byte %zu of %zu at %p is not what was written",
             bad, h->size, (void *)at->p);
    return fail(x, at, FAULT_DATA, what);
}

static void fill(struct inspection *x, const struct place *at)
{
    struct held *h = at->h;
    if (h->size == 0 || h->size > FILL_MOST || next_random(x) % FILL_ONE_IN)
        return;
    h->seed = next_random(x);
    h->filled = h->whole = h->size;
    pattern_fill(at->p, h->size, h->seed);
}

bool inspect_look(struct inspection *x, unsigned leg)
{
    inspect_find(x, leg + 1);
    for (size_t i = 0; i < x->nplaces; i++)
        if (!lies_right(x, &x->places[i]) || !lies_apart(x, &x->places[i]))
            return false;
    for (size_t i = 0; i < x->nplaces; i++)
        if (!holds_right(x, &x->places[i]))
            return false;
    for (size_t i = 0; leg == 0 && i < x->nplaces; i++)
        fill(x, &x->places[i]);
    return true;
}
