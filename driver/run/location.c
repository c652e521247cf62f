/* location.c - see location.h.
 *
 * The child's mark counts operations of the thread's own lane; the line of the
 * file is found by going through the trace as script.c does. */
#include "driver/run/location.h"

#include "driver/trace/trace_text.h"

#include <inttypes.h>
#include <stdio.h>

/* Index in the trace of operation `nth` of a lane; nops if it has fewer. */
static size_t find_op(const struct trace *t, const struct part *p,
                      unsigned lane, uint64_t nth)
{
    for (size_t i = 0; i < t->nops; i++)
        if ((p->lanes == 1 || t->ops[i].thread % p->lanes == lane) &&
            nth-- == 0)
            return i;
    return t->nops;
}

static void thread_text(const struct job *job, const struct shared *shared,
                        unsigned thread, char *text, size_t room)
{
    const struct part *p = plan_part_of(job->round, thread);
    const struct trace *t = job->traces[p->trace];
    uint64_t nth = atomic_load(&shared->marks[thread].op);
    size_t i = find_op(t, p, thread - p->first, nth);
    char what[TRACE_TEXT];
    if (i == t->nops) {
        snprintf(text, room, "thread %u: %s", thread, t->path);
        return;
    }
    trace_op_text(&t->ops[i], what, sizeof what);
    if (t->ops[i].id == TRACE_NO_ID)
        snprintf(text, room, "thread %u: %s:%u: free(NULL)", thread, t->path,
                 trace_line(t, i));
    else
        snprintf(text, room, "thread %u: %s:%u: %s of block %" PRIu32, thread,
                 t->path, trace_line(t, i), what, t->ops[i].id);
}

void location_text(const struct job *job, const struct shared *shared,
                   unsigned thread, char *text, size_t room)
{
    static const char *const outside[PHASES] = {
        [PHASE_PREPARE] = "before init",
        [PHASE_INIT] = "in init or thread_init",
        [PHASE_PASS] = "one of its threads, during a replay",
        [PHASE_CLEAR] = "freeing the blocks that the trace left",
        [PHASE_CHECK] = "in its own check",
        [PHASE_FINI] = "in thread_exit or fini",
    };
    int phase = atomic_load(&shared->phase);
    const struct part *p = plan_part_of(job->round, thread);
    if (phase == PHASE_PASS && p)
        thread_text(job, shared, thread, text, room);
    else if (phase == PHASE_CLEAR && p)
        snprintf(text, room, "thread %u: %s: %s", thread,
                 job->traces[p->trace]->path, outside[phase]);
    else if (p)
        snprintf(text, room, "thread %u: %s", thread, outside[phase]);
    else
        snprintf(text, room, "%s", outside[phase]);
}
