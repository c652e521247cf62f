/* child.c - see child.h. */
#include "driver/child.h"

#include "driver/counted.h"
#include "driver/crew.h"
#include "driver/dmem.h"
#include "driver/resident.h"
#include "driver/trap.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

/* Of a lane that waits for another, which has a processor of its own. With
 * fewer processors than lanes the other may be waiting for this one's. */
#define SPINS 200

struct child {
    const struct job *job;
    const struct mm_allocator *a;
    struct shared *shared;
    struct crew *crew;
    struct script **scripts;    /* of each part */
    unsigned *part;             /* of each thread */
    struct lane *lanes;         /* of each thread */
    struct oracle *oracle;
    struct oracle_block **blocks; /* of each part */
    struct resident resident;
    pthread_mutex_t turn; /* -d 2: one operation at a time */
};

static void set_phase(struct child *c, enum phase phase)
{
    atomic_store_explicit(&c->shared->phase, phase, memory_order_relaxed);
}

static bool leads_part(const struct child *c, unsigned thread)
{
    return c->job->round->parts[c->part[thread]].first == thread;
}

/* ---- preparing ----------------------------------------------------------- */

/* Copies of one trace on as many lanes share a script. */
static struct script *script_for(struct child *c, unsigned p)
{
    const struct part *parts = c->job->round->parts;
    for (unsigned q = 0; q < p; q++)
        if (parts[q].trace == parts[p].trace &&
            parts[q].lanes == parts[p].lanes)
            return c->scripts[q];
    return script_make(c->job->traces[parts[p].trace], parts[p].lanes);
}

/* Written once here, so that the page faults are not in the timed part. */
static void *touched(size_t size)
{
    return memset(dmem_alloc(size), 0, size);
}

static void make_lanes(struct child *c, unsigned p)
{
    const struct part *part = &c->job->round->parts[p];
    const struct script *s = c->scripts[p];
    size_t *sizes = touched(s->trace->nids * sizeof *sizes);
    _Atomic uintptr_t *hands =
        s->nhands ? touched(s->nhands * sizeof *hands) : NULL;
    for (unsigned k = 0; k < part->lanes; k++) {
        unsigned thread = part->first + k;
        c->part[thread] = p;
        c->lanes[thread] = (struct lane){
            .a = c->a,
            .script = s,
            .l = &s->lanes[k],
            .slots = touched(s->lanes[k].nslots * sizeof(void *)),
            .hands = hands,
            .sizes = sizes,
            .mark = &c->shared->marks[thread],
            .fault = &c->shared->fault,
            .thread = thread,
            .spins = crew_fits(c->job->round->nthreads) ? SPINS : 0,
            .absurd = replay_absurd(),
            .ticker = &c->job->ticker,
        };
        if (c->job->latency)
            c->lanes[thread].latency = touched(sizeof(struct latency));
    }
}

static void prepare(struct child *c)
{
    const struct round *r = c->job->round;
    c->scripts = dmem_alloc(r->nparts * sizeof *c->scripts);
    c->blocks = dmem_alloc(r->nparts * sizeof *c->blocks);
    c->part = dmem_alloc(r->nthreads * sizeof *c->part);
    c->lanes = dmem_alloc(r->nthreads * sizeof *c->lanes);
    for (unsigned p = 0; p < r->nparts; p++) {
        c->scripts[p] = script_for(c, p);
        make_lanes(c, p);
    }
}

static void hello(void *arg, unsigned thread)
{
    struct child *c = arg;
    trap_thread(thread);
    if (c->a->thread_init && c->a->thread_init() != 0)
        fault_set(&c->shared->fault, FAULT_NULL, thread,
                  "%s: thread %u: thread_init failed: %s", c->a->name, thread,
                  strerror(errno));
}

static void bye(void *arg, unsigned thread)
{
    struct child *c = arg;
    (void)thread;
    if (c->a->thread_exit)
        c->a->thread_exit();
}

static void start(struct child *c)
{
    set_phase(c, PHASE_PREPARE);
    prepare(c);
    set_phase(c, PHASE_INIT);
    if (c->a->init() != 0) {
        fault_set(&c->shared->fault, FAULT_NULL, THREAD_NONE,
                  "%s: init failed: %s", c->a->name, strerror(errno));
        return;
    }
    c->crew = crew_start(c->job->round->nthreads, c->job->pin, hello, c);
}

/* ---- checked pass -------------------------------------------------------- */

static void check_lane(void *arg, unsigned thread)
{
    struct child *c = arg;
    struct oracle_block *blocks = c->blocks[c->part[thread]];
    bool in_turn = c->job->level > 1 && c->job->round->nthreads > 1;
    replay_checked(&c->lanes[thread], c->oracle, blocks,
                   in_turn ? &c->turn : NULL);
}

/* The allocator's own check. @pre no thread is inside it. */
static void self_check(struct child *c)
{
    if (!c->a->check || c->job->level == 0 || fault_seen(&c->shared->fault))
        return;
    set_phase(c, PHASE_CHECK);
    size_t broken = c->a->check();
    if (broken)
        fault_set(&c->shared->fault, FAULT_CHECK, THREAD_NONE,
                  "%s: its own check found %zu broken invariant%s", c->a->name,
                  broken, broken == 1 ? "" : "s");
}

static void end_part(void *arg, unsigned thread)
{
    struct child *c = arg;
    unsigned p = c->part[thread];
    if (leads_part(c, thread))
        oracle_end(c->oracle, c->scripts[p]->trace, thread, c->blocks[p]);
}

static void check(struct child *c)
{
    c->oracle = oracle_new(c->a, c->job->level, &c->shared->fault);
    for (unsigned p = 0; p < c->job->round->nparts; p++)
        c->blocks[p] = oracle_begin(c->oracle, c->scripts[p]->trace);
    set_phase(c, PHASE_PASS);
    crew_run(c->crew, check_lane, c);
    self_check(c);
    set_phase(c, PHASE_CLEAR);
    crew_run(c->crew, end_part, c);
    self_check(c);
    c->shared->peak_payload = oracle_peak_payload(c->oracle);
    c->shared->peak_heap = oracle_peak_heap(c->oracle);
    c->shared->slack = oracle_slack(c->oracle);
    oracle_free(c->oracle);
}

/* ---- the passes without the oracle --------------------------------------- */

static void touch_lane(void *arg, unsigned thread)
{
    struct child *c = arg;
    resident_touch(&c->lanes[thread], &c->resident);
}

static void time_lane(void *arg, unsigned thread)
{
    replay_timed(&((struct child *)arg)->lanes[thread]);
}

static void count_lane(void *arg, unsigned thread)
{
    counted_replay(&((struct child *)arg)->lanes[thread]);
}

static void latency_lane(void *arg, unsigned thread)
{
    replay_latency(&((struct child *)arg)->lanes[thread]);
}

static void clear_lane(void *arg, unsigned thread)
{
    replay_clear(&((struct child *)arg)->lanes[thread]);
}

static void pass(struct child *c, void (*work)(void *, unsigned))
{
    set_phase(c, PHASE_PASS);
    crew_run(c->crew, work, c);
    if (fault_seen(&c->shared->fault))
        return; /* what the slots hold may be anything */
    set_phase(c, PHASE_CLEAR);
    crew_run(c->crew, clear_lane, c);
}

/* Between two runs other allocators' children ran, and left the caches theirs.
 * A long replay does not notice; a short one is preceded by another that does
 * not count. */
static void run(struct child *c)
{
    const struct round *r = c->job->round;
    pass(c, time_lane);
    if (!fault_seen(&c->shared->fault) &&
        marks_elapsed_ns(c->shared->marks, r->nthreads) < MDRIVER_SHORT_NS)
        pass(c, time_lane);
}

static void touch(struct child *c)
{
    const struct round *r = c->job->round;
    size_t expected = 0;
    for (unsigned p = 0; p < r->nparts; p++)
        expected += c->scripts[p]->trace->peak_payload;
    resident_begin(&c->resident, expected, r->nthreads);
    pass(c, touch_lane);
    c->shared->touched_payload = c->resident.peak_live;
    c->shared->peak_resident = resident_peak(&c->resident);
}

static void latency(struct child *c)
{
    pass(c, latency_lane);
    for (unsigned i = 0; i < c->job->round->nthreads; i++) {
        latency_merge(&c->shared->latency, c->lanes[i].latency);
        memset(c->lanes[i].latency, 0, sizeof(struct latency));
    }
}

/* ---- commands ------------------------------------------------------------ */

static void end(struct child *c)
{
    set_phase(c, PHASE_FINI);
    crew_end(c->crew, bye, c);
    c->a->fini();
}

static void perform(struct child *c, enum command command)
{
    switch (command) {
    case CHILD_START: start(c); break;
    case CHILD_CHECK: check(c); break;
    case CHILD_TOUCH: touch(c); break;
    case CHILD_TIME: run(c); break;
    case CHILD_COUNT: pass(c, count_lane); break;
    case CHILD_LATENCY: latency(c); break;
    case CHILD_END: end(c); break;
    }
}

_Noreturn void child_main(const struct job *job, struct shared *shared, int fd)
{
    struct child c = { .job = job, .a = job->allocator, .shared = shared,
                       .turn = PTHREAD_MUTEX_INITIALIZER };
    char command;
    trap_install(shared);
    while (read(fd, &command, 1) == 1) {
        perform(&c, command);
        if (write(fd, &command, 1) != 1 || command == CHILD_END)
            break;
    }
    trap_remove();
    _exit(0);
}
