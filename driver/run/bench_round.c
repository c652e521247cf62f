/* bench_round.c - see bench_round.h. */
#include "driver/run/bench_round.h"

#include "driver/base/driver_mem.h"
#include "driver/base/progress.h"
#include "driver/base/registry.h"
#include "driver/run/announce.h"
#include "driver/run/counted.h"
#include "driver/run/peer.h"
#include "driver/run/repeat.h"
#include "driver/run/sandbox.h"
#include "driver/run/submission.h"
#include "driver/run/trust.h"

#include <stdio.h>
#include <string.h>

#define NS 1e-9

/* One allocator at work on one round. */
struct entrant {
    struct job job;
    struct sandbox *sandbox; /* NULL: out of the round */
    unsigned number;         /* of the allocator */
    struct round_result *out;
    double **part;      /* seconds of each part, of each run */
    double beyond;      /* trust_time */
    struct trail trail; /* of the checked pass */
};

struct bench {
    const struct options *o;
    struct results *r;
    struct section *section;
    unsigned round;
    struct entrant *entrants; /* r->nallocators */
    unsigned runs;
};

static unsigned most_runs(const struct bench *b)
{
    return b->o->runs ? b->o->runs : MDRIVER_MAX_RUNS;
}

static const struct round *this_round(const struct bench *b)
{
    return &b->section->plan->rounds[b->round];
}

static void name_traces(const struct bench *b, char *text, size_t room)
{
    const struct round *r = this_round(b);
    const char *first = b->r->traces[r->parts[0].trace]->name;
    if (r->nparts == 1)
        snprintf(text, room, "%s", first);
    else
        snprintf(text, room, "%.40s and %u more", first, r->nparts - 1);
}

static void say(const struct bench *b, const struct entrant *e,
                const char *what)
{
    char traces[64];
    name_traces(b, traces, sizeof traces);
    progress("%u thread%s, round %u of %u: %s %s: %s", b->section->threads,
             b->section->threads == 1 ? "" : "s", b->round + 1,
             b->section->plan->nrounds, what, e->job.allocator->name, traces);
}

/* ---- one allocator ------------------------------------------------------- */

/* What a child of the round may take. With -d 2 each operation takes as long as
 * the heap is large, so that only a limit that was asked for counts. */
static struct limits limits_of(const struct bench *b, const struct round *r)
{
    size_t payload = 0, half = replay_absurd();
    for (unsigned p = 0; p < r->nparts; p++)
        payload += b->r->traces[r->parts[p].trace]->peak_payload;
    size_t most = MDRIVER_MEMORY_TIMES * payload;
    most = most < MDRIVER_MEMORY_LEAST ? MDRIVER_MEMORY_LEAST : most;
    most = most > half ? half : most;
    most = most < 4 * payload ? 4 * payload : most;
    return (struct limits){
        .still = b->o->seconds,
        .seconds = b->o->limited || b->o->level < 2 ? b->o->limit : 0,
        .memory = b->o->memory ? (size_t)b->o->memory << 20 : most,
    };
}

/* With several threads something went wrong: does it with one, too? A heap that
 * grows while it is timed shows in comparison only. A hang has cost its time
 * already: the second is told after few seconds. */
static void try_alone(const struct bench *b, const struct entrant *e,
                      struct second_try *out)
{
    const struct round *r = this_round(b);
    if (r->nthreads == 1 || e->out->fault_part < 0 ||
        e->out->fault == FAULT_HEAP)
        return;
    struct part part = {.trace = r->parts[e->out->fault_part].trace,
                        .lanes = 1};
    struct round one = {&part, 1, 1};
    struct limits limits = limits_of(b, &one);
    struct job job = e->job;
    if (limits.still > MDRIVER_ALONE_SECONDS)
        limits.still = MDRIVER_ALONE_SECONDS;
    job.round = &one;
    job.latency = false;
    say(b, e, "one thread of");
    struct sandbox *s = sandbox_new(&job, &limits);
    out->tried = true;
    out->valid = sandbox_do(s, CHILD_START) && sandbox_do(s, CHILD_CHECK) &&
                 sandbox_do(s, CHILD_TIME) && sandbox_do(s, CHILD_TIME) &&
                 sandbox_do(s, CHILD_END);
    if (atomic_load(&sandbox_shared(s)->fault.kind) == FAULT_HANG)
        out->still = limits.still;
    sandbox_free(s);
}

static bool given_up(const struct bench *b, unsigned allocator)
{
    return !b->o->keep_going && b->r->faults[allocator] >= MDRIVER_FAULTS;
}

/* Those of -a come first; then those that they are compared with. */
static bool all_given_up(const struct bench *b)
{
    unsigned a = 0;
    while (a < b->o->nallocators && given_up(b, a))
        a++;
    return a == b->o->nallocators;
}

/* A grade counts each trace: only what costs minutes ends it early. */
static void count_fault(struct bench *b, const struct entrant *e)
{
    int kind = e->out->fault;
    bool costly = kind == FAULT_HANG || kind == FAULT_SLOW;
    unsigned *faults = &b->r->faults[e->number];
    *faults += !b->o->grade || costly;
    if (*faults == MDRIVER_FAULTS && !b->o->keep_going)
        announce_end(e->job.allocator, *faults, b->o->grade, all_given_up(b));
}

/* The child found a fault, or is one: it is out. */
static void drop(struct bench *b, struct entrant *e)
{
    struct fault *f = &sandbox_shared(e->sandbox)->fault;
    const struct round *r = this_round(b);
    struct second_try alone = {0};
    trust_fault(&e->job, f);
    e->out->fault = f->kind;
    const struct part *part = plan_part_of(r, f->thread);
    e->out->fault_part = part ? (int)(part - r->parts) : -1;
    if (e->out->fault_part < 0 && r->nparts == 1)
        e->out->fault_part = 0;
    memcpy(e->out->fault_text, f->text, sizeof f->text);
    sandbox_free(e->sandbox);
    e->sandbox = NULL;
    try_alone(b, e, &alone);
    announce_fault(b->o, e->job.allocator, e->out,
                   e->out->fault_part < 0
                       ? NULL
                       : b->r->traces[r->parts[e->out->fault_part].trace],
                   &alone, b->r->faults[e->number] == 0);
    count_fault(b, e);
}

static bool command(struct bench *b, struct entrant *e, enum command c)
{
    if (!e->sandbox)
        return false;
    if (sandbox_do(e->sandbox, c))
        return true;
    drop(b, e);
    return false;
}

static void begin(struct bench *b, struct entrant *e)
{
    struct limits limits = limits_of(b, this_round(b));
    e->sandbox = sandbox_new(&e->job, &limits);
    if (!command(b, e, CHILD_START) || e->job.image < 0)
        return;
    struct isolation seen = sandbox_isolation(e->sandbox);
    const char **open = &b->r->open[e->number], *lacks = trust_lacks(&seen);
    if (lacks && !*open)
        announce_open(e->job.allocator, lacks);
    *open = lacks ? lacks : *open;
    if (!trust_threads(&e->job, &seen, &sandbox_shared(e->sandbox)->fault))
        drop(b, e);
}

static void end(struct bench *b, struct entrant *e)
{
    if (command(b, e, CHILD_END))
        sandbox_free(e->sandbox);
    e->sandbox = NULL;
}

/* Is its heap known, before and after, by the driver's own account? */
static bool keeps_account(const struct entrant *e)
{
    return registry_is_ours(e->job.allocator) && e->out->peak_heap &&
           !registry_counts_itself(e->job.allocator);
}

static void check(struct bench *b, struct entrant *e)
{
    begin(b, e);
    if (command(b, e, CHILD_CHECK)) {
        const struct shared *s = sandbox_shared(e->sandbox);
        e->out->peak_payload = s->peak_payload;
        e->out->peak_heap = s->peak_heap;
        e->out->slack = s->slack;
        e->trail = s->trail;
    }
    end(b, e);
}

/* One thread on a new heap, not checked: what it does is no chance, so that the
 * heap is the checked one's. One that is used again and again scatters its
 * blocks, so grows() cannot ask for as much. */
static bool differs(const struct bench *b, struct entrant *e)
{
    char traces[64];
    struct shared *s = sandbox_shared(e->sandbox);
    double most = MDRIVER_NEW_HEAP_TIMES * (double)e->out->peak_heap +
                  MDRIVER_NEW_HEAP_MORE;
    if (!keeps_account(e) || this_round(b)->nthreads > 1 ||
        (double)s->timed_heap <= most)
        return false;
    name_traces(b, traces, sizeof traces);
    fault_set(
        &s->fault, FAULT_HEAP, 0,
        "%s: %s: its heap is %zu bytes in a replay that is not checked, and "
        "was %zu in the checked one: with one thread both should be the same",
        e->job.allocator->name, traces, s->timed_heap, e->out->peak_heap);
    return true;
}

/* The same for where its blocks lie. */
static bool strays(const struct bench *b, struct entrant *e)
{
    struct limits limits = limits_of(b, this_round(b));
    struct shared *s = sandbox_shared(e->sandbox);
    return e->out->checked &&
           !repeat_alike(&e->job, &limits, &e->trail, &s->trail, &s->fault);
}

static void touch(struct bench *b, struct entrant *e)
{
    if (!command(b, e, CHILD_TOUCH))
        return;
    if (differs(b, e) || strays(b, e)) {
        drop(b, e);
        return;
    }
    const struct shared *s = sandbox_shared(e->sandbox);
    e->out->touched_payload = s->touched_payload;
    e->out->peak_resident = s->peak_resident;
}

/* On a heap that is new, so that its growth counts, too. */
static void count(struct bench *b, struct entrant *e)
{
    unsigned runs = b->o->runs ? b->o->runs : MDRIVER_COUNT_RUNS;
    begin(b, e);
    while (e->out->counted < runs && command(b, e, CHILD_COUNT))
        e->out->counted++;
    if (e->sandbox) {
        const struct round *r = this_round(b);
        const struct mark *marks = sandbox_shared(e->sandbox)->marks;
        for (unsigned p = 0; p < r->nparts; p++)
            e->out->parts[p].counts =
                counted_sum(marks + r->parts[p].first, r->parts[p].lanes);
    }
    end(b, e);
}

/* ---- timing -------------------------------------------------------------- */

/* Bytes that an honest heap may have more. Where threads share a trace, how far
 * each gets before the others free its blocks is chance: all that one replay
 * asks for may be live. And blocks that grow at the heap's end lengthen it a
 * little in each replay. */
static size_t by_chance(const struct bench *b)
{
    const struct round *r = this_round(b);
    size_t bytes = 0;
    for (unsigned p = 0; p < r->nparts; p++) {
        const struct trace *t = b->r->traces[r->parts[p].trace];
        bytes += r->nthreads > 1 ? t->asked : t->resized;
    }
    return bytes;
}

/* A heap that grows and grows while it is timed, and did not before. */
static bool grows(const struct bench *b, struct entrant *e)
{
    char traces[64];
    struct shared *s = sandbox_shared(e->sandbox);
    size_t most = MDRIVER_HEAP_TIMES * e->out->peak_heap + MDRIVER_HEAP_MORE +
                  by_chance(b);
    if (!keeps_account(e) || s->timed_heap <= most)
        return false;
    name_traces(b, traces, sizeof traces);
    fault_set(
        &s->fault, FAULT_HEAP, THREAD_NONE,
        "%s: %s: its heap is %zu bytes after timed replays, and was %zu in "
        "the checked one: does it use freed blocks again?",
        e->job.allocator->name, traces, s->timed_heap, e->out->peak_heap);
    return true;
}

static void time_once(struct bench *b, struct entrant *e)
{
    if (!command(b, e, CHILD_TIME))
        return;
    if (grows(b, e)) {
        drop(b, e);
        return;
    }
    double took = sandbox_took(e->sandbox);
    const struct round *r = this_round(b);
    const struct mark *marks = sandbox_shared(e->sandbox)->marks;
    e->out->samples[b->runs] = NS * marks_elapsed_ns(marks, r->nthreads);
    for (unsigned p = 0; p < r->nparts; p++)
        e->part[p][b->runs] =
            NS * (double)marks_elapsed_ns(marks + r->parts[p].first,
                                          r->parts[p].lanes);
    double beyond = took - TRUST_TIMES * e->out->samples[b->runs];
    e->beyond = b->runs && e->beyond < beyond ? e->beyond : beyond;
}

/* One that was handed in: can it have been so fast? */
static void doubt(struct bench *b, struct entrant *e)
{
    struct timing null = {0}, own;
    for (unsigned a = 0; a < b->r->nallocators; a++)
        if (registry_is_null(b->r->allocators[a]) && b->entrants[a].sandbox)
            null = clock_summarize(b->entrants[a].out->samples, b->runs);
    if (!e->sandbox || e->job.image < 0 || !b->o->level ||
        b->runs < MDRIVER_LEAST_RUNS)
        return; /* one run may be disturbed, or looked into */
    own = clock_summarize(e->out->samples, b->runs);
    if (!trust_time(&e->job, &own, &null, e->beyond,
                    &sandbox_shared(e->sandbox)->fault))
        drop(b, e);
}

static bool all_agree(const struct bench *b)
{
    for (unsigned a = 0; a < b->r->nallocators; a++)
        if (b->entrants[a].sandbox &&
            !clock_agree(b->entrants[a].out->samples, b->runs, MDRIVER_KBEST,
                         MDRIVER_KBEST_EPSILON))
            return false;
    return true;
}

static bool enough(const struct bench *b, uint64_t began)
{
    if (b->o->runs || b->runs == MDRIVER_MAX_RUNS)
        return b->runs == most_runs(b);
    if ((double)(clock_ns() - began) * NS > MDRIVER_ROUND_SECONDS)
        return b->runs >= MDRIVER_KBEST;
    return b->runs >= MDRIVER_LEAST_RUNS && all_agree(b);
}

static void time_all(struct bench *b)
{
    uint64_t began = clock_ns();
    for (b->runs = 0; !enough(b, began); b->runs++)
        for (unsigned a = 0; a < b->r->nallocators; a++)
            if (b->entrants[a].sandbox) {
                say(b, &b->entrants[a], "timing");
                time_once(b, &b->entrants[a]);
            }
}

static void summarize(struct bench *b, struct entrant *e)
{
    e->out->time = clock_summarize(e->out->samples, b->runs);
    for (unsigned p = 0; p < this_round(b)->nparts; p++)
        e->out->parts[p].time = clock_summarize(e->part[p], b->runs);
}

static void latency_all(struct bench *b)
{
    for (unsigned run = 0; run < MDRIVER_LATENCY_RUNS; run++)
        for (unsigned a = 0; a < b->r->nallocators; a++)
            if (b->entrants[a].sandbox) {
                say(b, &b->entrants[a], "latency of");
                command(b, &b->entrants[a], CHILD_LATENCY);
            }
    for (unsigned a = 0; a < b->r->nallocators; a++) {
        struct entrant *e = &b->entrants[a];
        if (e->sandbox)
            latency_merge(e->out->latency,
                          &sandbox_shared(e->sandbox)->latency);
    }
}

/* ---- a round ------------------------------------------------------------- */

static struct job job_of(const struct bench *b, unsigned a)
{
    return (struct job){
        .allocator = b->r->allocators[a],
        .library = peer_library(b->r->allocators[a]),
        .image = submission_image(b->r->allocators[a]),
        .memory = limits_of(b, this_round(b)).memory,
        .traces = b->r->traces,
        .round = this_round(b),
        .level = b->o->level,
        .pin = b->o->pin,
        .latency = b->o->latency,
        .ticker = b->r->ticker,
    };
}

static void enter(struct bench *b, unsigned a)
{
    struct entrant *e = &b->entrants[a];
    const struct round *r = this_round(b);
    e->number = a;
    e->out = result_round(b->section, a, b->round);
    e->job = job_of(b, a);
    e->out->slack = e->out->fault_part = -1; /* not known, none */
    e->out->parts = driver_mem_alloc(r->nparts * sizeof *e->out->parts);
    e->out->ran =
        b->section->threads == 1 || !e->job.allocator->single_threaded;
    e->out->checked = !registry_is_null(e->job.allocator);
    if (e->out->ran && given_up(b, a)) {
        e->out->fault = FAULT_GIVEN_UP;
        snprintf(e->out->fault_text, sizeof e->out->fault_text,
                 "%s: given up after %u faults", e->job.allocator->name,
                 b->r->faults[a]);
    } else if (all_given_up(b)) {
        e->out->ran = false; /* nothing is left to compare it with */
    }
    if (b->o->latency)
        e->out->latency = driver_mem_alloc(sizeof *e->out->latency);
    for (unsigned p = 0; p < r->nparts; p++) {
        e->out->parts[p].ops = b->r->traces[r->parts[p].trace]->nops;
        e->out->ops += e->out->parts[p].ops;
    }
    e->out->samples = driver_mem_alloc(most_runs(b) * sizeof *e->out->samples);
    e->part = driver_mem_alloc(r->nparts * sizeof *e->part);
    for (unsigned p = 0; p < r->nparts; p++)
        e->part[p] = driver_mem_alloc(most_runs(b) * sizeof **e->part);
}

static void leave(struct bench *b, struct entrant *e)
{
    if (e->sandbox && b->runs)
        summarize(b, e);
    end(b, e);
    for (unsigned p = 0; p < this_round(b)->nparts; p++)
        driver_mem_free(e->part[p]);
    driver_mem_free(e->part);
}

static void check_all(struct bench *b)
{
    for (unsigned a = 0; a < b->r->nallocators; a++) {
        struct entrant *e = &b->entrants[a];
        if (!e->out->fault)
            say(b, e, "checking");
        if (e->out->ran && e->out->checked && !e->out->fault)
            check(b, e);
    }
}

/* Those that passed come in once more, to stay. */
static void touch_all(struct bench *b)
{
    for (unsigned a = 0; a < b->r->nallocators; a++) {
        struct entrant *e = &b->entrants[a];
        if (!e->out->ran || e->out->fault)
            continue;
        say(b, e, "measuring");
        begin(b, e);
        if (e->out->checked)
            touch(b, e);
    }
}

static void count_all(struct bench *b)
{
    for (unsigned a = 0; a < b->r->nallocators; a++) {
        struct entrant *e = &b->entrants[a];
        say(b, e, "counting");
        if (e->out->ran && !e->out->fault && e->job.allocator->counts)
            count(b, e);
    }
}

static void measure_all(struct bench *b)
{
    touch_all(b);
    time_all(b);
    for (unsigned a = 0; a < b->r->nallocators; a++)
        doubt(b, &b->entrants[a]);
    if (b->o->latency)
        latency_all(b);
}

void bench_round(const struct options *o, struct results *r, struct section *s,
                 unsigned round)
{
    struct bench b = {.o = o, .r = r, .section = s, .round = round};
    b.entrants = driver_mem_alloc(r->nallocators * sizeof *b.entrants);
    for (unsigned a = 0; a < r->nallocators; a++)
        enter(&b, a);
    check_all(&b);
    if (o->count)
        count_all(&b);
    else
        measure_all(&b);
    for (unsigned a = 0; a < r->nallocators; a++)
        leave(&b, &b.entrants[a]);
    driver_mem_free(b.entrants);
}
