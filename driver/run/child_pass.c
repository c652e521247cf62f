/* child_pass.c - the passes without the oracle: touched, timed, counted, with
 * the time of each operation; and looks into the timed ones. */
#include "driver/base/sanitized.h"
#include "driver/check/account.h"
#include "driver/run/child_inside.h"
#include "driver/run/counted.h"

#include <string.h>
#include <sys/random.h>

uint64_t child_random(void)
{
    uint64_t x;
    if (getrandom(&x, sizeof x, GRND_NONBLOCK) != sizeof x)
        x = clock_ns() * UINT64_C(0x9E3779B97F4A7C15) >> 16;
    return x;
}

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
    team_run(c->team, work, c);
    if (fault_seen(&c->shared->fault))
        return; /* what the slots hold may be anything */
    set_phase(c, PHASE_CLEAR);
    team_run(c->team, clear_lane, c);
}

/* ---- timed replays, and looks into them ---------------------------------- */

static void inspect_lane(void *arg, unsigned thread)
{
    struct child *c = arg;
    replay_some(&c->lanes[thread], inspect_from(c->inspection, thread, c->leg),
                inspect_to(c->inspection, thread, c->leg));
}

/* A replay that is like a timed one to the allocator. */
void child_inspect(struct child *c)
{
    struct fault *fault = &c->shared->fault;
    if (fault_seen(fault))
        return;
    c->inspection = inspect_new(c->a, c->job->round, c->lanes, child_random());
    set_phase(c, PHASE_PASS);
    for (c->leg = 0; c->leg < 3 && !fault_seen(fault); c->leg++) {
        team_run(c->team, inspect_lane, c);
        if (c->leg < 2 && !fault_seen(fault))
            inspect_look(c->inspection, c->leg);
    }
    inspect_free(c->inspection);
    if (fault_seen(fault))
        return;
    set_phase(c, PHASE_CLEAR);
    team_run(c->team, clear_lane, c);
}

static void timed_pass(struct child *c)
{
    unsigned tag = (unsigned)child_random();
    for (unsigned i = 0; i < c->job->round->nthreads; i++)
        c->lanes[i].tag = tag;
    pass(c, time_lane);
}

/* Between two runs other allocators' children ran, and left the caches theirs.
 * A long replay does not notice; a short one is preceded by another that does
 * not count. */
void child_time(struct child *c)
{
    const struct round *r = c->job->round;
    uint64_t lot = child_random();
    bool look =
        c->ours && c->job->level && lot / 2 % MDRIVER_INSPECT_ONE_IN == 0;
    c->timed = true;
    if (look && lot % 2)
        child_inspect(c);
    timed_pass(c);
    if (!fault_seen(&c->shared->fault) &&
        marks_elapsed_ns(c->shared->marks, r->nthreads) < MDRIVER_SHORT_NS)
        timed_pass(c);
    if (look && lot % 2 == 0)
        child_inspect(c);
    c->shared->timed_heap = account_peak();
}

/* Of one that was handed in: its heap, and what loading it takes. */
static size_t most_resident(void)
{
    size_t heap = account_peak();
    return heap + heap / 16 + MDRIVER_HIDDEN;
}

/* All of it was written, so the system had to give it. With several threads a
 * reading takes longer than some blocks live. */
static void check_resident(struct child *c)
{
    size_t written = c->shared->touched_payload;
    size_t peak = c->resident.peak, before = c->resident_before;
    size_t resident = peak > before ? peak - before : 0;
    if (c->stranger && !SANITIZED && resident > most_resident())
        fault_set(&c->shared->fault, FAULT_HEAP, 0,
                  "%s: %zu bytes are resident, and memlib gave %zu: it has "
                  "memory of its own (large arrays, mmap, libc's malloc?)",
                  c->a->name, resident, account_peak());
    if (resident_covers(resident, written))
        return;
    fault_set(
        &c->shared->fault, FAULT_HEAP, 0,
        "%s: %zu bytes of live blocks were written, and %zu bytes are "
        "resident: blocks share memory, which the checked pass did not see",
        c->a->name, written, resident);
}

void child_touch(struct child *c)
{
    const struct round *r = c->job->round;
    size_t expected = 0;
    for (unsigned p = 0; p < r->nparts; p++)
        expected += c->scripts[p]->trace->peak_payload;
    resident_begin(&c->resident, expected, r->nthreads);
    pass(c, touch_lane);
    c->shared->touched_payload = c->resident.peak_live;
    c->shared->peak_resident = resident_peak(&c->resident);
    c->shared->timed_heap = account_peak();
    if (c->ours && r->nthreads == 1 && !fault_seen(&c->shared->fault))
        check_resident(c);
}

void child_latency(struct child *c)
{
    pass(c, latency_lane);
    for (unsigned i = 0; i < c->job->round->nthreads; i++) {
        latency_merge(&c->shared->latency, c->lanes[i].latency);
        memset(c->lanes[i].latency, 0, sizeof(struct latency));
    }
}

void child_count(struct child *c)
{
    pass(c, count_lane);
}
