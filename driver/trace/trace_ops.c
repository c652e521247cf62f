/* trace_ops.c - reads all operations of a trace: threads, lines, counts. */
#include "driver/base/driver_mem.h"
#include "driver/trace/trace_parse.h"

#include <inttypes.h>

/* ---- threads ---------------------------------------------------------- */

/* `@T`: the operations that follow are thread T's. */
static bool switch_thread(struct trace_parser *ps)
{
    uint64_t thread;
    ps->lx->p++;
    if (!lex_number(ps->lx, "a thread", ps->h->threads - 1, &thread))
        return false;
    ps->thread = (unsigned)thread;
    lex_blanks(ps->lx);
    return true;
}

/* The thread column may hold any numbers: threads are counted as they come. */
static bool read_thread_column(struct trace_parser *ps)
{
    uint64_t tid;
    if (!lex_number(ps->lx, "a thread", TRACE_MAX_HEADER, &tid))
        return false;
    unsigned i = 0;
    while (i < ps->t->nthreads && ps->tid[i] != tid)
        i++;
    if (i == TRACE_MAX_THREADS)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found thread %" PRIu64 " after %d others, expected "
                          "at most %d threads",
                          tid, TRACE_MAX_THREADS, TRACE_MAX_THREADS);
    if (i == ps->t->nthreads)
        ps->tid[ps->t->nthreads++] = tid;
    ps->thread = i;
    lex_blanks(ps->lx);
    return true;
}

/* T4, T5 and P1 for operation i, whose predecessor is still in last[]. */
static void link_op(struct trace_parser *ps, size_t i)
{
    struct trace_op *op = &ps->t->ops[i];
    if (op->id == TRACE_NO_ID)
        return;
    const struct trace_op *before = trace_op_latest(ps, op->id);
    op->wait = before && before->thread != op->thread;
    if (ps->t->seq)
        ps->t->seq[i] = before ? ps->t->seq[before - ps->t->ops] + 1 : 0;
    ps->last[op->id] = (uint32_t)i + 1;
}

/* ---- the whole -------------------------------------------------------- */

/* Keep the line of operation i: lines are stored only from the first one on
 * that does not simply follow. */
static void note_line(struct trace_parser *ps, size_t i)
{
    struct trace *t = ps->t;
    if (i == 0)
        t->first_line = ps->lx->line;
    if (!t->line && ps->lx->line != t->first_line + i) {
        uint32_t *line = driver_mem_alloc(ps->h->ops * sizeof *line);
        for (size_t j = 0; j < i; j++)
            line[j] = t->first_line + (uint32_t)j;
        t->line = line;
    }
    if (t->line)
        t->line[i] = ps->lx->line;
}

static bool one_op(struct trace_parser *ps)
{
    struct trace *t = ps->t;
    size_t i = t->nops;
    note_line(ps, i);
    t->ops[i].thread = (uint16_t)ps->thread;
    ps->used[ps->thread] = true;
    if (!trace_op_read(ps, &t->ops[i]))
        return false;
    link_op(ps, i);
    t->nops++;
    return lex_end_line(ps->lx);
}

/* Whose is the operation in this line? */
static bool read_thread(struct trace_parser *ps)
{
    if (ps->h->thread_column)
        return read_thread_column(ps);
    return !ps->h->superset || *ps->lx->p != '@' || switch_thread(ps);
}

/* One line that is not blank. Behind @T there may be nothing more. */
static bool one_line(struct trace_parser *ps)
{
    const struct trace_header *h = ps->h;
    char quote[LEX_QUOTE];
    if (ps->t->nops == h->ops)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found %s, expected end of file: line %u says "
                          "%" PRIu64 " operations",
                          lex_found(ps->lx, quote), h->ops_line, h->ops);
    if (!read_thread(ps))
        return false;
    bool nothing_more =
        lex_at_end(ps->lx) || (ps->lx->comments && *ps->lx->p == '#');
    if (nothing_more && h->superset)
        return lex_end_line(ps->lx);
    return one_op(ps);
}

static bool all_ops(struct trace_parser *ps)
{
    while (lex_next_line(ps->lx))
        if (!one_line(ps))
            return false;
    return true;
}

/* What only the end of the file can tell. */
static bool whole(struct trace_parser *ps)
{
    const struct trace_header *h = ps->h;
    const struct trace *t = ps->t;
    if (t->nops < h->ops)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found end of file after %zu operations, expected "
                          "%" PRIu64 " as line %u says",
                          t->nops, h->ops, h->ops_line);
    for (unsigned i = 0; i < t->nthreads; i++)
        if (!ps->used[i])
            return trace_fail(ps->lx->msg, h->threads_line,
                              "found no operation of thread %u, expected some "
                              "of each of %u threads",
                              i, t->nthreads);
    if (h->max_live && h->max_live != t->peak_payload)
        return trace_fail(ps->lx->msg, h->max_live_line,
                          "found %" PRIu64 " bytes live at most, expected %zu "
                          "as the operations have it",
                          h->max_live, t->peak_payload);
    return true;
}

bool trace_ops_read(struct lex *lx, const struct trace_header *h,
                    struct trace *t)
{
    struct trace_parser ps = {.lx = lx, .h = h, .t = t};
    bool multi = h->thread_column || h->threads > 1;
    t->nids = h->ids;
    t->weight = (int)h->weight;
    t->nthreads = h->thread_column ? 0 : (unsigned)h->threads;
    t->ops = driver_mem_alloc(h->ops * sizeof *t->ops);
    t->seq = multi ? driver_mem_alloc(h->ops * sizeof *t->seq) : NULL;
    ps.last = driver_mem_alloc(h->ids * sizeof *ps.last);
    bool ok = all_ops(&ps) && whole(&ps);
    driver_mem_free(ps.last);
    t->balanced = ps.nlive == 0;
    if (t->nthreads == 1) {
        driver_mem_free(t->seq);
        t->seq = NULL;
    }
    return ok;
}
