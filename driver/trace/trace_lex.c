/* trace_lex.c - the slow paths of the tokenizer: line ends and messages. */
#include "driver/trace/trace_lex.h"

#include <inttypes.h>
#include <string.h>

#define TOKEN_SHOWN 12 /* bytes of an unexpected token worth showing */

_Static_assert(TOKEN_SHOWN * 4 + sizeof "\"...\"" <= LEX_QUOTE, "fits");

void trace_message(const struct trace_msg *msg, unsigned line,
                   const char *format, ...)
{
    int n = line ? snprintf(msg->err, msg->errsize, "%s:%u: ", msg->path, line)
                 : snprintf(msg->err, msg->errsize, "%s: ", msg->path);
    if (n >= 0 && (size_t)n < msg->errsize) {
        va_list args;
        va_start(args, format);
        vsnprintf(msg->err + n, msg->errsize - (size_t)n, format, args);
        va_end(args);
    }
    /* A file name may hold anything; the message stays one line. */
    for (char *c = msg->err; msg->errsize && *c; c++)
        if ((unsigned char)*c < ' ')
            *c = '?';
}

const char *lex_found(const struct lex *lx, char quote[LEX_QUOTE])
{
    if (lx->p == lx->end)
        return "end of file";
    if (lex_at_end(lx))
        return "end of line";
    char *q = quote;
    const char *p = lx->p;
    *q++ = '"';
    do {
        unsigned char c = (unsigned char)*p++;
        if (c > ' ' && c < 0x7f && c != '"' && c != '\\')
            *q++ = (char)c;
        else
            q += sprintf(q, "\\x%02x", c);
    } while (p - lx->p < TOKEN_SHOWN && !lex_separates(lx, p));
    strcpy(q, lex_separates(lx, p) ? "\"" : "...\"");
    return quote;
}

void lex_bad_number(const struct lex *lx, const char *what, uint64_t max)
{
    char quote[LEX_QUOTE];
    trace_message(lx->msg, lx->line, "found %s, expected %s from 0 to %" PRIu64,
                  lex_found(lx, quote), what, max);
}

static void skip_comment(struct lex *lx)
{
    const char *newline = memchr(lx->p, '\n', (size_t)(lx->end - lx->p));
    lx->p = newline ? newline : lx->end;
}

bool lex_end_line(struct lex *lx)
{
    lex_blanks(lx);
    if (lx->comments && lx->p < lx->end && *lx->p == '#')
        skip_comment(lx);
    if (!lex_at_end(lx)) {
        char quote[LEX_QUOTE];
        return trace_fail(lx->msg, lx->line, "found %s, expected end of line",
                          lex_found(lx, quote));
    }
    lx->p += lx->p < lx->end && *lx->p == '\r';
    if (lx->p < lx->end) {
        lx->p++;
        lx->line++;
    }
    return true;
}

bool lex_next_line(struct lex *lx)
{
    for (;;) {
        lex_blanks(lx);
        bool comment = lx->comments && lx->p < lx->end && *lx->p == '#';
        if (!comment && !lex_at_end(lx))
            return true;
        if (lx->p == lx->end)
            return false;
        lex_end_line(lx); /* cannot fail: nothing else stands here */
    }
}

bool lex_word(struct lex *lx, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(lx->end - lx->p) < n || memcmp(lx->p, word, n) != 0 ||
        !lex_separates(lx, lx->p + n))
        return false;
    lx->p += n;
    return true;
}
