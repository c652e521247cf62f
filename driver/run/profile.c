/* profile.c - see profile.h. */
#include "driver/run/profile.h"

#include "driver/base/driver_mem.h"
#include "driver/run/submission.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool __attribute__((noinline)) profile_counted(struct lane *lane)
{
    bool good = replay_timed(lane);
    __asm__ volatile("" ::: "memory"); /* no tail call: it returns here */
    return good;
}

static bool replay(const struct mm_allocator *a, struct lane *lane)
{
    bool good = a->init() == 0 && (!a->thread_init || a->thread_init() == 0) &&
                replay_timed(lane);
    if (good)
        replay_clear(lane);
    good = good && profile_counted(lane);
    if (!good)
        return false;
    replay_clear(lane);
    if (a->thread_exit)
        a->thread_exit();
    a->fini();
    return true;
}

static bool replay_trace(const struct mm_allocator *a, const struct trace *t)
{
    struct fault fault = {0};
    struct mark *mark = driver_mem_alloc(sizeof *mark);
    struct script *script = script_make(t, 1);
    void **slots = driver_mem_alloc(script->lanes->nslots * sizeof *slots);
    struct lane lane = {.a = a,
                        .script = script,
                        .l = script->lanes,
                        .slots = slots,
                        .mark = mark,
                        .fault = &fault,
                        .absurd = replay_absurd()};
    bool good = replay(a, &lane);
    if (good)
        printf("%s: %s: ops=%zu\n", a->name, t->name, t->nops);
    else
        fprintf(stderr, "FAULT %s\n",
                fault_seen(&fault) ? fault.text : "init failed");
    driver_mem_free(slots);
    script_free(script);
    driver_mem_free(mark);
    return good;
}

int profile_run(const struct options *o, struct trace *const *traces)
{
    bool good = true;
    for (unsigned a = 0; a < o->nallocators; a++) {
        const struct mm_allocator *own = submission_here(o->allocators[a]);
        for (size_t t = 0; t < o->npaths; t++)
            good &= replay_trace(own, traces[t]);
    }
    return good ? EXIT_SUCCESS : EXIT_FAULT;
}
