/* trace_check.h - is a trace what driver/trace/trace.h promises? And its text
 * again.
 *
 * Used by test_trace.c and by the fuzzer. Recomputes every promise from the
 * operations alone, in the plainest way: an own array, no shared code. */
#ifndef TESTS_TRACE_CHECK_H
#define TESTS_TRACE_CHECK_H

#include "driver/trace/trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct trace_check_id {
    uint64_t size;
    uint32_t count; /* operations so far */
    unsigned thread;
    bool live;
};

struct trace_check {
    const struct trace *t;
    struct trace_check_id *ids;
    uint64_t live_bytes, peak;
    size_t kinds[TRACE_FREE + 1], cross, nlive;
};

/* One operation's effect; @return what it breaks, or NULL. */
static inline const char *trace_check_op(struct trace_check *c, size_t i)
{
    const struct trace *t = c->t;
    const struct trace_op *op = &t->ops[i];
    c->kinds[op->kind]++;
    if (op->thread >= t->nthreads)
        return "T3: thread out of range";
    if (op->id == TRACE_NO_ID)
        return op->kind == TRACE_FREE && !op->wait ? NULL : "T2: no id";
    if (op->id >= t->nids)
        return "T2: id out of range";
    struct trace_check_id *id = &c->ids[op->id];
    if (t->seq && t->seq[i] != id->count)
        return "T4: sequence number";
    if (op->wait != (id->count > 0 && id->thread != op->thread))
        return "T5: wait bit";
    if (op->kind >= TRACE_REALLOC && !id->live)
        return "free or realloc of a dead id";
    if (op->kind < TRACE_REALLOC && id->live)
        return "allocation of a live id";
    c->cross += op->kind == TRACE_FREE && id->thread != op->thread;
    bool lives =
        op->kind != TRACE_FREE && !(op->kind == TRACE_REALLOC && op->size == 0);
    c->nlive += lives;
    c->nlive -= id->live;
    c->live_bytes += (lives ? op->size : 0) - (id->live ? id->size : 0);
    if (c->live_bytes > c->peak)
        c->peak = c->live_bytes;
    id->live = lives;
    id->size = op->size;
    id->thread = op->thread;
    id->count++;
    return NULL;
}

static inline const char *trace_check_ops(struct trace_check *c)
{
    const struct trace *t = c->t;
    bool used[TRACE_MAX_THREADS] = {false};
    for (size_t i = 0; i < t->nops; i++) {
        const char *broken = trace_check_op(c, i);
        if (broken)
            return broken;
        if (i > 0 && trace_line(t, i) <= trace_line(t, i - 1))
            return "T1: lines do not rise";
        used[t->ops[i].thread] = true;
    }
    for (unsigned i = 0; i < t->nthreads; i++)
        if (!used[i])
            return "T3: a thread without operations";
    return NULL;
}

static inline const char *trace_check_totals(const struct trace_check *c)
{
    const struct trace *t = c->t;
    if (t->nops == 0)
        return "T1: no operations";
    if (t->nallocs != c->kinds[TRACE_MALLOC] + c->kinds[TRACE_CALLOC] +
                          c->kinds[TRACE_MEMALIGN] ||
        t->nreallocs != c->kinds[TRACE_REALLOC] ||
        t->nfrees != c->kinds[TRACE_FREE])
        return "T6: counts by kind";
    if (t->nallocs + t->nreallocs + t->nfrees != t->nops)
        return "T6: counts add up";
    if (t->peak_payload != c->peak || c->peak > TRACE_MAX_SIZE)
        return "peak payload";
    if (t->balanced != (c->nlive == 0))
        return "balanced";
    if (t->cross_frees != c->cross)
        return "cross frees";
    if ((t->seq != NULL) != (t->nthreads > 1))
        return "T4: seq if and only if there are threads";
    return NULL;
}

/** @return the first promise that t breaks, or NULL. */
static inline const char *trace_check(const struct trace *t)
{
    struct trace_check c = {.t = t};
    c.ids = calloc(t->nids + 1, sizeof *c.ids);
    const char *broken = trace_check_ops(&c);
    if (!broken)
        broken = trace_check_totals(&c);
    free(c.ids);
    return broken;
}

static inline void trace_print_op(FILE *out, const struct trace_op *op)
{
    if (op->id == TRACE_NO_ID) {
        fprintf(out, "f -1\n");
        return;
    }
    fprintf(out, "%c %" PRIu32, "acmrf"[op->kind], op -> id);
    if (op->kind == TRACE_MEMALIGN)
        fprintf(out, " %" PRIu64, UINT64_C(1) << op->align);
    if (op->kind == TRACE_CALLOC && op->elem)
        fprintf(out, " %" PRIu64 " %u", (uint64_t)op->size / op->elem,
                op->elem);
    else if (op->kind == TRACE_CALLOC)
        fprintf(out, " 1 %" PRIu64, (uint64_t)op->size);
    else if (op->kind != TRACE_FREE)
        fprintf(out, " %" PRIu64, (uint64_t)op->size);
    fputc('\n', out);
}

/** t in the superset. @return text to be freed, of *size bytes. */
static inline char *trace_print(const struct trace *t, size_t *size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, size);
    fprintf(out, "mmtrace 1\nweight %d\nids %zu\nops %zu\nthreads %u\n",
            t->weight, t->nids, t->nops, t->nthreads);
    for (size_t i = 0; i < t->nops; i++) {
        if (t->nthreads > 1)
            fprintf(out, i % 2 ? "@%u " : "@%u\n", t->ops[i].thread);
        trace_print_op(out, &t->ops[i]);
    }
    fclose(out);
    return text;
}

static inline bool trace_same(const struct trace *a, const struct trace *b)
{
    if (a->nops != b->nops || a->nids != b->nids || a->weight != b->weight ||
        a->nthreads != b->nthreads)
        return false;
    return memcmp(a->ops, b->ops, a->nops * sizeof *a->ops) == 0;
}

#endif
