/* trace_good.h - a text that must be a trace, and keep a trace's promises. */
#ifndef TESTS_TRACE_GOOD_H
#define TESTS_TRACE_GOOD_H

#include "tests/trace_check.h"

#include <check.h>

static inline struct trace *good(const char *text)
{
    char err[256] = "";
    struct trace *t =
        trace_parse("dir/t.rep", text, strlen(text), err, sizeof err);
    ck_assert_msg(t, "%s", err);
    const char *broken = trace_check(t);
    ck_assert_msg(!broken, "broken: %s", broken);
    return t;
}

#endif
