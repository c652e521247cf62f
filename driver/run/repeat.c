/* repeat.c - see repeat.h. */
#include "driver/run/repeat.h"

#include "driver/run/sandbox.h"
#include "driver/trace/trace_text.h"

#define REPEATS 2 /* of each, beside the first two */

/* One command on a new heap. @return false: a fault, of which the passes that
 * count will tell. */
static bool once_more(const struct job *job, const struct limits *limits,
                      enum command command, struct trail *out)
{
    struct job moved = *job;
    moved.moved = true;
    struct sandbox *s = sandbox_new(&moved, limits);
    bool good = sandbox_do(s, CHILD_START) && sandbox_do(s, command);
    *out = sandbox_shared(s)->trail;
    sandbox_free(s);
    return good;
}

static bool is_chance(const struct job *job, const struct limits *limits,
                      const struct trail *checked)
{
    struct trail t;
    for (unsigned i = 0; i < REPEATS; i++)
        if (!once_more(job, limits, CHILD_CHECK, &t) ||
            trail_fork(checked, &t) < TRAIL_MARKS ||
            !once_more(job, limits, CHILD_TOUCH, &t) ||
            trail_fork(checked, &t) == TRAIL_MARKS)
            return true;
    return false;
}

bool repeat_alike(const struct job *job, const struct limits *limits,
                  const struct trail *checked, const struct trail *touched,
                  struct fault *fault)
{
    unsigned mark = trail_fork(checked, touched);
    if (mark == TRAIL_MARKS || is_chance(job, limits, checked))
        return true;
    const struct trace *t = job->traces[job->round->parts[0].trace];
    fault_set(fault, FAULT_HEAP, 0,
              "%s: thread 0: %s:%u: from about this line on its blocks lie "
              "elsewhere in a replay that is not checked than in a checked "
              "one: expected the same places, as in all %d checked ones, each "
              "on a new heap",
              job->allocator->name, t->path,
              trace_line(t, trail_from(mark, t->nops)), REPEATS + 1);
    return false;
}
