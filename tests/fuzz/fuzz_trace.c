/* fuzz_trace.c - libFuzzer: any bytes are a good trace or a good message.
 *
 *   bytes ─ trace_parse ─┬─ NULL ─► one line `fuzz:N: found ..., expected ...`
 *                        │          (`fuzz: found ...` before there are lines)
 *                        └─ t ─► keeps driver/trace/trace.h's promises
 *                                └ printed and parsed again it is the same */
#include "driver/trace/trace.h"
#include "tests/trace_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool ok, const char *what, const char *text)
{
    if (ok)
        return;
    fprintf(stderr, "fuzz_trace: %s: %s\n", what, text);
    abort();
}

static void check_message(const char *err)
{
    unsigned line;
    int after = 0;
    int got = sscanf(err, "fuzz:%u: found %n", &line, &after);
    bool whole_file = strncmp(err, "fuzz: found ", 12) == 0;
    demand((got == 1 && after > 0) || whole_file,
           "not `fuzz:line: found` or `fuzz: found`", err);
    demand(strstr(err, ", expected ") != NULL, "nothing expected", err);
    for (const char *c = err; *c; c++)
        demand(*c >= ' ' && *c < 0x7f, "not printable", err);
}

static void check_round_trip(const struct trace *t)
{
    char err[256] = "";
    size_t size;
    char *text = trace_print(t, &size);
    struct trace *again = trace_parse("fuzz", text, size, err, sizeof err);
    demand(again != NULL, "its own text is refused", err);
    demand(trace_same(t, again), "its own text is another trace", text);
    trace_free(again);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char err[256] = "";
    struct trace *t = trace_parse("fuzz", data, size, err, sizeof err);
    if (!t) {
        check_message(err);
        return 0;
    }
    const char *broken = trace_check(t);
    demand(broken == NULL, "broken promise", broken ? broken : "");
    check_round_trip(t);
    trace_free(t);
    return 0;
}
