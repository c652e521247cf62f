/* trace_op.c - reads one operation of a trace and checks that it can be.
 *
 *               a, c, m, r            f, or r to size 0
 *   not live ───────────────► live ─────────────────────► not live
 *                             r, to any other size: live as before
 *
 *   last[id] ─► the latest operation on id ─► is it live, since which line,
 *               whose was it: no other record of an id is needed
 *
 * Invariants (struct trace_parser)
 *   P1 last[id] == 1 + index of the latest operation on id, or 0
 *   P2 live_bytes == sum of the sizes of live ids <= TRACE_MAX_SIZE
 *   P3 nlive == number of live ids */
#include "driver/trace/trace_parse.h"

#include <inttypes.h>

/* ---- one id ----------------------------------------------------------- */

const struct trace_op *trace_op_latest(const struct trace_parser *ps,
                                       uint32_t id)
{
    return ps->last[id] ? &ps->t->ops[ps->last[id] - 1] : NULL;
}

static bool makes_live(const struct trace_op *op)
{
    return op && op->kind != TRACE_FREE &&
           !(op->kind == TRACE_REALLOC && op->size == 0);
}

static unsigned latest_line(const struct trace_parser *ps, uint32_t id)
{
    return trace_line(ps->t, ps->last[id] - 1);
}

/* A live id gets size bytes instead of old. */
static bool account(struct trace_parser *ps, uint64_t old, uint64_t size)
{
    ps->t->asked += size;
    ps->live_bytes = ps->live_bytes - old + size;
    if (ps->live_bytes > TRACE_MAX_SIZE)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found %" PRIu64 " live bytes in all, expected at "
                          "most %" PRIu64,
                          ps->live_bytes, TRACE_MAX_SIZE);
    if (ps->live_bytes > ps->t->peak_payload)
        ps->t->peak_payload = ps->live_bytes;
    return true;
}

static bool make(struct trace_parser *ps, struct trace_op *op)
{
    if (makes_live(trace_op_latest(ps, op->id)))
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found id %u allocated while live, expected "
                          "`f %u` before: see line %u",
                          op->id, op->id, latest_line(ps, op->id));
    ps->t->nallocs++;
    ps->nlive++;
    return account(ps, 0, op->size);
}

/* realloc(p, 0) frees. realloc(NULL, n) is kept as malloc(n), which is what it
 * means: so no player of a trace must know whether an id was live before. */
static bool resize(struct trace_parser *ps, struct trace_op *op)
{
    const struct trace_op *before = trace_op_latest(ps, op->id);
    if (!makes_live(before)) {
        op->kind = TRACE_MALLOC;
        return make(ps, op);
    }
    ps->t->nreallocs++;
    ps->nlive -= op->size == 0;
    ps->t->resized += op->size;
    return account(ps, before->size, op->size);
}

static bool release(struct trace_parser *ps, struct trace_op *op)
{
    const struct trace_op *before = trace_op_latest(ps, op->id);
    if (!makes_live(before)) {
        if (before)
            return trace_fail(ps->lx->msg, ps->lx->line,
                              "found `f %u`, expected a live id: it was freed "
                              "in line %u",
                              op->id, latest_line(ps, op->id));
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found `f %u`, expected a live id: it was never "
                          "allocated",
                          op->id);
    }
    ps->t->cross_frees += before->thread != op->thread;
    ps->t->nfrees++;
    ps->nlive--;
    return account(ps, before->size, 0);
}

/* ---- one operation ---------------------------------------------------- */

static bool read_id(struct trace_parser *ps, struct trace_op *op)
{
    uint64_t id;
    char quote[LEX_QUOTE];
    lex_blanks(ps->lx);
    if (ps->h->ids == 0)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found %s, expected no id: line %u says 0 ids",
                          lex_found(ps->lx, quote), ps->h->ids_line);
    if (!lex_number(ps->lx, "an id", ps->h->ids - 1, &id))
        return false;
    op->id = (uint32_t)id;
    return true;
}

static bool read_size(struct trace_parser *ps, struct trace_op *op)
{
    uint64_t size;
    if (!lex_number(ps->lx, "a size", TRACE_MAX_SIZE, &size))
        return false;
    op->size = size & TRACE_MAX_SIZE;
    return true;
}

static bool read_calloc(struct trace_parser *ps, struct trace_op *op)
{
    uint64_t n, elem, size;
    if (!lex_number(ps->lx, "a number of elements", TRACE_MAX_SIZE, &n) ||
        !lex_number(ps->lx, "an element size", TRACE_MAX_SIZE, &elem))
        return false;
    if (__builtin_mul_overflow(n, elem, &size) || size > TRACE_MAX_SIZE)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found %" PRIu64 " * %" PRIu64 " bytes, expected at "
                          "most %" PRIu64,
                          n, elem, TRACE_MAX_SIZE);
    op->size = size & TRACE_MAX_SIZE;
    op->elem = elem <= UINT16_MAX ? (uint16_t)elem : 0;
    return true;
}

static bool read_memalign(struct trace_parser *ps, struct trace_op *op)
{
    uint64_t align;
    if (!lex_number(ps->lx, "an alignment", TRACE_MAX_ALIGN, &align))
        return false;
    if (align == 0 || (align & (align - 1)) != 0)
        return trace_fail(ps->lx->msg, ps->lx->line,
                          "found alignment %" PRIu64 ", expected a power of "
                          "two",
                          align);
    op->align = (unsigned)__builtin_ctzll(align) & 63;
    return read_size(ps, op);
}

static bool read_free(struct trace_parser *ps, struct trace_op *op)
{
    lex_blanks(ps->lx);
    if (!lex_word(ps->lx, "-1"))
        return read_id(ps, op) && release(ps, op);
    op->id = TRACE_NO_ID;
    ps->t->nfrees++;
    return true;
}

/* Step over a token of one letter. @return it, or 0 if that is not there. */
static char take_letter(struct lex *lx)
{
    if (lx->p == lx->end || !lex_separates(lx, lx->p + 1))
        return '\0';
    return *lx->p++;
}

bool trace_op_read(struct trace_parser *ps, struct trace_op *op)
{
    struct lex *lx = ps->lx;
    struct lex at = *lx;
    switch (take_letter(lx)) {
    case 'a':
        op->kind = TRACE_MALLOC;
        return read_id(ps, op) && read_size(ps, op) && make(ps, op);
    case 'c':
        op->kind = TRACE_CALLOC;
        return read_id(ps, op) && read_calloc(ps, op) && make(ps, op);
    case 'm':
        op->kind = TRACE_MEMALIGN;
        return read_id(ps, op) && read_memalign(ps, op) && make(ps, op);
    case 'r':
        op->kind = TRACE_REALLOC;
        return read_id(ps, op) && read_size(ps, op) && resize(ps, op);
    case 'f': op->kind = TRACE_FREE; return read_free(ps, op);
    }
    char quote[LEX_QUOTE];
    return trace_fail(
        lx->msg, lx->line, "found %s, expected an operation: a, c, m, r or f%s",
        lex_found(&at, quote), ps->h->superset ? ", or a thread, @T" : "");
}
