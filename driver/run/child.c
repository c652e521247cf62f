/* child.c - see child.h. */
#include "driver/run/child_inside.h"

#include "driver/base/driver_mem.h"
#include "driver/base/registry.h"
#include "driver/check/account.h"
#include "driver/run/crash_note.h"
#include "driver/run/isolate.h"
#include "driver/run/submission.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of a lane that waits for another, which has a processor of its own. With
 * fewer processors than lanes the other may be waiting for this one's. */
#define SPINS 200

/* Addresses that one may have for each byte that may be resident. */
#define SPACE_TIMES 8

/* Pages that lie between what was mapped before and what will be. */
#define MOVE_MOST ((size_t)1 << 20)

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
    return memset(driver_mem_alloc(size), 0, size);
}

/* With several threads places are chance; and a check after each operation is
 * more than a look. */
static bool keeps_trail(const struct child *c)
{
    return c->ours && c->job->round->nthreads == 1 && c->job->level == 1;
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
            .trail = keeps_trail(c) ? &c->shared->trail : NULL,
            .thread = thread,
            .spins = team_fits(c->job->round->nthreads) ? SPINS : 0,
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
    c->scripts = driver_mem_alloc(r->nparts * sizeof *c->scripts);
    c->blocks = driver_mem_alloc(r->nparts * sizeof *c->blocks);
    c->part = driver_mem_alloc(r->nthreads * sizeof *c->part);
    c->lanes = driver_mem_alloc(r->nthreads * sizeof *c->lanes);
    for (unsigned p = 0; p < r->nparts; p++) {
        c->scripts[p] = script_for(c, p);
        make_lanes(c, p);
    }
}

static void settle(void *arg, unsigned thread)
{
    (void)arg;
    crash_note_thread(thread);
}

static void hello(void *arg, unsigned thread)
{
    struct child *c = arg;
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

/* One that was handed in: from here on its code may run. */
static bool load(struct child *c)
{
    char err[512];
    isolate_limits(SPACE_TIMES * c->job->memory);
    bool loaded = submission_load(c->job->image, c->job->allocator->name,
                                  &c->table, err, sizeof err);
    isolate_rest();
    crash_note_loaded();
    c->own = account_open(&c->table);
    if (!loaded)
        fault_set(&c->shared->fault, FAULT_NULL, THREAD_NONE,
                  "%s: it cannot be loaded: %s", c->job->allocator->name, err);
    return loaded;
}

/* One that is started by exec has other addresses each time. */
static void move_memory(void)
{
    size_t pages = 1 + child_random() % MOVE_MOST;
    mmap(NULL, pages * (size_t)sysconf(_SC_PAGESIZE), PROT_NONE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

/* Threads come before all that is not ours: it may make none of its own. */
static void start(struct child *c)
{
    set_phase(c, PHASE_PREPARE);
    if (c->job->moved)
        move_memory();
    prepare(c);
    c->own = account_open(c->job->allocator);
    c->team = team_start(c->job->round->nthreads, c->job->pin, settle, c);
    c->resident_before = c->ours ? resident_now() : 0;
    isolate_calls();
    set_phase(c, PHASE_INIT);
    if (c->stranger && !load(c))
        return;
    if (c->a->init() != 0) {
        fault_set(&c->shared->fault, FAULT_NULL, THREAD_NONE,
                  "%s: init failed: %s", c->a->name, strerror(errno));
        return;
    }
    account_started();
    team_run(c->team, hello, c);
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
    team_run(c->team, check_lane, c);
    self_check(c);
    set_phase(c, PHASE_CLEAR);
    team_run(c->team, end_part, c);
    self_check(c);
    c->shared->peak_payload = oracle_peak_payload(c->oracle);
    c->shared->peak_heap = oracle_peak_heap(c->oracle);
    c->shared->slack = oracle_slack(c->oracle);
    oracle_free(c->oracle);
    if (c->ours && c->shared->peak_payload > c->shared->peak_heap)
        fault_set(&c->shared->fault, FAULT_HEAP, THREAD_NONE,
                  "%s: %zu bytes were live at once, and its heap was %zu bytes "
                  "at most: no heap is smaller than what is in it",
                  c->a->name, c->shared->peak_payload, c->shared->peak_heap);
}

/* ---- commands ------------------------------------------------------------ */

static void end(struct child *c)
{
    if (c->ours && c->timed && c->job->level)
        child_inspect(c);
    if (fault_seen(&c->shared->fault))
        return;
    set_phase(c, PHASE_FINI);
    team_end(c->team, bye, c);
    c->a->fini();
}

static void perform(struct child *c, enum command command)
{
    switch (command) {
    case CHILD_START: start(c); break;
    case CHILD_CHECK: check(c); break;
    case CHILD_TOUCH: child_touch(c); break;
    case CHILD_TIME: child_time(c); break;
    case CHILD_COUNT: child_count(c); break;
    case CHILD_LATENCY: child_latency(c); break;
    case CHILD_END: end(c); break;
    }
    if (c->ours)
        account_check(c->a, &c->shared->fault);
}

_Noreturn void child_main(const struct job *job, struct shared *shared, int fd)
{
    struct child c = {.job = job,
                      .own = *job->allocator,
                      .shared = shared,
                      .stranger = job->image >= 0,
                      .ours =
                          job->image >= 0 || registry_is_ours(job->allocator),
                      .turn = PTHREAD_MUTEX_INITIALIZER};
    struct message m;
    c.a = &c.own;
    crash_note_install(shared);
    while (read(fd, &m, sizeof m) == sizeof m) {
        perform(&c, (enum command)m.command);
        if (write(fd, &m, sizeof m) != sizeof m || m.command == CHILD_END)
            break;
    }
    crash_note_remove();
    _exit(0);
}
