/* trace_header.c - tells the generations of trace files apart.
 *
 *              line 1        line 2  line 3  line 4
 *   2002       heap size     ids     ops     weight        line 1 > 3
 *   older 213  weight 0..3   ids     ops     flag 0..1
 *   2016+ 213  weight 0..3   ids     ops     max live      line 4 > 1
 *   two lines  ids           ops                           a thread number
 *                                                          before each op
 *   superset   mmtrace 1, then `ids N`, `ops N`, ...
 *
 * How many numbers stand before the first letter tells the rest: 2 or 4,
 * and one more if each operation starts with a thread number. */
#include "driver/trace/trace_parse.h"

#include <inttypes.h>

#define MAX_WEIGHT 3
#define MAX_NUMBERS 5 /* four, and the thread number of the first operation */
#define SUPERSET_VERSION 1

static bool starts_number(const struct lex *lx)
{
    return (*lx->p >= '0' && *lx->p <= '9') || *lx->p == '-';
}

/* Numbers before the first letter, each with its line; lx is left before the
 * first operation. @return how many, or -1. */
static int leading_numbers(struct lex *lx, uint64_t n[MAX_NUMBERS],
                           uint32_t line[MAX_NUMBERS])
{
    struct lex before = *lx;
    int count = 0;
    while (count < MAX_NUMBERS && lex_next_line(lx) && starts_number(lx)) {
        before = *lx;
        line[count] = lx->line;
        if (!lex_number(lx, "a header number", TRACE_MAX_HEADER, &n[count++]))
            return -1;
    }
    if (count == 3 || count == MAX_NUMBERS)
        *lx = before;
    return count;
}

/* Which of lines 1 and 4 is the weight? See the table above. */
static bool settle_weight(const struct lex *lx, struct trace_header *h,
                          const uint64_t n[], const uint32_t line[])
{
    if (n[0] <= MAX_WEIGHT) {
        h->weight = n[0];
        h->weight_line = line[0];
        h->max_live = n[3] > 1 ? n[3] : 0;
        h->max_live_line = line[3];
        return true;
    }
    if (n[3] > MAX_WEIGHT)
        return trace_fail(lx->msg, line[3],
                          "found %" PRIu64 ", expected a weight from 0 to 3 "
                          "here or in line %u, which says %" PRIu64,
                          n[3], line[0], n[0]);
    h->weight = n[3];
    h->weight_line = line[3];
    return true;
}

static bool classic_header(struct lex *lx, struct trace_header *h)
{
    uint64_t n[MAX_NUMBERS];
    uint32_t line[MAX_NUMBERS];
    char quote[LEX_QUOTE];
    int count = leading_numbers(lx, n, line);
    if (count < 0)
        return false;
    if (count < 2)
        return trace_fail(lx->msg, lx->line, "found %s, expected %s",
                          lex_found(lx, quote),
                          count ? "a second header number"
                                : "`mmtrace 1` or a header number");
    int ids = count >= 4; /* the index of the number of ids */
    h->ids = n[ids];
    h->ids_line = line[ids];
    h->ops = n[ids + 1];
    h->ops_line = line[ids + 1];
    h->threads = 1;
    h->weight = 1;
    h->thread_column = count == 3 || count == MAX_NUMBERS;
    return count < 4 || settle_weight(lx, h, n, line);
}

/* One `name N` line of the superset, if there is one.
 * @return 1 taken, 0 no field stands here, -1 failed. */
static int field(struct lex *lx, struct trace_header *h)
{
    const struct {
        const char *name;
        uint64_t max, *value;
        uint32_t *line;
    } fields[] = {
        {"ids", TRACE_MAX_HEADER, &h->ids, &h->ids_line},
        {"ops", TRACE_MAX_HEADER, &h->ops, &h->ops_line},
        {"threads", TRACE_MAX_THREADS, &h->threads, &h->threads_line},
        {"weight", MAX_WEIGHT, &h->weight, &h->weight_line},
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint32_t line = lx->line;
        if (!lex_word(lx, fields[i].name))
            continue;
        if (*fields[i].line) {
            trace_message(lx->msg, line,
                          "found a second `%s`, expected one (line %u)",
                          fields[i].name, *fields[i].line);
            return -1;
        }
        *fields[i].line = line;
        bool ok =
            lex_number(lx, fields[i].name, fields[i].max, fields[i].value) &&
            lex_end_line(lx);
        return ok ? 1 : -1;
    }
    return 0;
}

static bool superset_header(struct lex *lx, struct trace_header *h)
{
    uint64_t version;
    char quote[LEX_QUOTE];
    h->superset = lx->comments = true;
    h->threads = 1;
    h->weight = 1;
    if (!lex_number(lx, "a format version", TRACE_MAX_HEADER, &version))
        return false;
    if (version != SUPERSET_VERSION)
        return trace_fail(lx->msg, lx->line,
                          "found format version %" PRIu64 ", expected %d",
                          version, SUPERSET_VERSION);
    if (!lex_end_line(lx))
        return false;
    int got = 1;
    while (got > 0 && lex_next_line(lx))
        got = field(lx, h);
    if (got < 0)
        return false;
    if (!h->ids_line || !h->ops_line)
        return trace_fail(lx->msg, lx->line, "found %s, expected `%s N`",
                          lex_found(lx, quote), h->ids_line ? "ops" : "ids");
    if (h->threads == 0)
        return trace_fail(lx->msg, h->threads_line,
                          "found 0 threads, expected 1 to %d",
                          TRACE_MAX_THREADS);
    return true;
}

/* Numbers that the rest of the file cannot bear out are refused before
 * anything is allocated for them. */
static bool plausible(const struct lex *lx, const struct trace_header *h)
{
    uint64_t room = (uint64_t)(lx->end - lx->p);
    uint64_t least = 4 * h->ops - 1; /* `f 0` and a newline, but for the last */
    if (h->ops == 0)
        return trace_fail(lx->msg, h->ops_line,
                          "found 0 operations, expected at least 1");
    if (least > room)
        return trace_fail(lx->msg, h->ops_line,
                          "found %" PRIu64 " operations announced and %" PRIu64
                          " bytes for them, expected at least %" PRIu64
                          ": is the file cut short?",
                          h->ops, room, least);
    if (h->ids > h->ops)
        return trace_fail(lx->msg, h->ids_line,
                          "found %" PRIu64 " ids, expected at most %" PRIu64
                          ", the number of operations",
                          h->ids, h->ops);
    return true;
}

bool trace_header_read(struct lex *lx, struct trace_header *h)
{
    *h = (struct trace_header){0};
    if (lx->p == lx->end)
        return trace_fail(lx->msg, 1,
                          "found an empty file, "
                          "expected `mmtrace 1` or a header number");
    bool ok = lex_word(lx, "mmtrace") ? superset_header(lx, h)
                                      : classic_header(lx, h);
    return ok && plausible(lx, h);
}
