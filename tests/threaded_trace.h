/* threaded_trace.h - a trace in which threads hand blocks about at random.
 *
 * Any thread makes, resizes and frees any block, an id is used again once its
 * block is freed, perhaps by a third, and at the end some blocks are left. */
#ifndef TESTS_THREADED_TRACE_H
#define TESTS_THREADED_TRACE_H

#include "driver/trace/trace.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADED_IDS 40
#define THREADED_OPS 3000

static inline unsigned threaded_dice(uint64_t *seed, unsigned sides)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % sides;
}

static inline struct trace *threaded_trace(unsigned threads, uint64_t seed)
{
    bool live[THREADED_IDS] = {false};
    char *text = malloc(THREADED_OPS * 32), err[256];
    int n = sprintf(text, "mmtrace 1\nids %d\nops %d\nthreads %u\n",
                    THREADED_IDS, THREADED_OPS, threads);
    for (unsigned i = 0; i < THREADED_OPS; i++) {
        unsigned id = threaded_dice(&seed, THREADED_IDS);
        unsigned thread = i < threads ? i : threaded_dice(&seed, threads);
        unsigned free_it = live[id] && threaded_dice(&seed, 2);
        n += sprintf(text + n, "@%u %c %u", thread,
                     free_it ? 'f' : "ar"[live[id]], id);
        n += free_it
                 ? sprintf(text + n, "\n")
                 : sprintf(text + n, " %u\n", 1 + threaded_dice(&seed, 200));
        live[id] = !free_it;
    }
    struct trace *t = trace_parse("threaded", text, (size_t)n, err, sizeof err);
    ck_assert_msg(t != NULL, "%s", err);
    free(text);
    return t;
}

#endif
