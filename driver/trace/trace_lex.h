/* trace_lex.h - the text of a trace, one token at a time.
 *
 *   a 17 4096  # why\r\n      blanks separate tokens; a line ends with \n,
 *     ^ p                     \r\n or the end of the file; comments only
 *                             where the format has them
 *
 * Invariants
 *   X1 p <= end, and no byte at or behind end is looked at
 *   X2 line == 1 + number of newlines before p
 *   X3 a function that returns false has written the message, and nothing is
 *      read after it */
#ifndef DRIVER_TRACE_LEX_H
#define DRIVER_TRACE_LEX_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trace_msg {
    const char *path;
    char *err;
    size_t errsize;
};

struct lex {
    const char *p, *end;
    uint32_t line;
    bool comments;
    const struct trace_msg *msg;
};

#define LEX_QUOTE 64 /* bytes that lex_found may write */

/** Write `path:line: text`. Line 0: the file as a whole. */
void trace_message(const struct trace_msg *msg, unsigned line,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/** The same as an expression that is false. */
#define trace_fail(...) (trace_message(__VA_ARGS__), false)
/** What stands at p, fit to be printed: a quoted token, or `end of line`. */
const char *lex_found(const struct lex *lx, char quote[LEX_QUOTE])
    __attribute__((cold));
/** The message for a number that is not one, or is out of range. */
void lex_bad_number(const struct lex *lx, const char *what, uint64_t max)
    __attribute__((cold));
/** Step over the rest of a line, which must be blank or a comment. */
bool lex_end_line(struct lex *lx);
/** Step over blank lines and comments. @return false at the end. */
bool lex_next_line(struct lex *lx);

static inline bool lex_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* May a token end before this byte? */
static inline bool lex_separates(const struct lex *lx, const char *p)
{
    return p == lx->end || lex_is_blank(*p) || *p == '\n' || *p == '\r';
}

/* Does the line end at p: by \n, \r\n, or the end of the file? */
static inline bool lex_at_end(const struct lex *lx)
{
    const char *p = lx->p;
    if (p < lx->end && *p == '\r')
        p++;
    return p == lx->end || *p == '\n';
}

static inline void lex_blanks(struct lex *lx)
{
    while (lx->p < lx->end && lex_is_blank(*lx->p))
        lx->p++;
}

/** Read a decimal number of at most max < 2^60; what names it. */
static inline bool lex_number(struct lex *lx, const char *what, uint64_t max,
                              uint64_t *out)
{
    lex_blanks(lx);
    const char *p = lx->p;
    uint64_t value = 0;
    while (p < lx->end && *p >= '0' && *p <= '9' && value <= max)
        value = value * 10 + (uint64_t)(*p++ - '0');
    if (p == lx->p || value > max || !lex_separates(lx, p)) {
        lex_bad_number(lx, what, max);
        return false;
    }
    lx->p = p;
    *out = value;
    return true;
}

/** Is the token at p exactly word? Then step over it. */
bool lex_word(struct lex *lx, const char *word);

#endif
