/* scene_replay.c - see scene_replay.h. */
#include "driver/report/scene_replay.h"

#include "driver/base/driver_mem.h"
#include "driver/check/account.h"
#include "driver/check/oracle.h"
#include "driver/run/crash_note.h"
#include "driver/run/submission.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

struct turns {
    const struct scene_plan *plan;
    struct mm_allocator a; /* with the driver's own view of its heap */
    struct oracle *oracle;
    struct oracle_block *blocks;
    struct scene *scene;
    size_t next; /* operation; by the lock, as all above */
    bool over;
    pthread_mutex_t lock;
    pthread_cond_t *turn; /* of each thread of the trace */
};

struct player {
    struct turns *turns;
    unsigned number;
    pthread_t thread;
};

/* ---- one operation ------------------------------------------------------- */

static void look(struct turns *r, size_t ops)
{
    const struct scene_plan *plan = r->plan;
    struct mm_stats stats = {0};
    struct scene_moment m = {.scene = r->scene, .ops = ops};
    r->a.stats(&stats);
    m.heap = stats.heap;
    m.pieces = scene_look(r->scene, &m.n);
    m.payload = scene_payload(r->scene);
    if (!plan->shared->base && m.n)
        plan->shared->base = m.pieces[0].at & ~(uintptr_t)4095;
    alarm(0); /* however slowly it is shown, that is no hang */
    plan->show(plan->arg, &m);
    atomic_store_explicit(&plan->shared->shown, ops, memory_order_relaxed);
    alarm(plan->seconds);
}

static bool is_moment(const struct scene_plan *plan, size_t op)
{
    size_t n = plan->trace->nops;
    return op >= plan->dense_from || plan->moments >= n || op + 1 == n ||
           (op + 1) * plan->moments / n > op * plan->moments / n;
}

/* Where the operation's block is now, or none. */
static void note_place(struct turns *r, size_t op)
{
    struct oracle_place place;
    uint32_t id = r->plan->trace->ops[op].id;
    if (id == TRACE_NO_ID)
        return;
    bool live = oracle_place(r->blocks, id, &place);
    scene_set(r->scene, id, live ? &place : NULL);
}

/* The fault's block, if it is anywhere, and what else lies there. */
static void mark_clash(struct turns *r, size_t op)
{
    struct scene_shared *shared = r->plan->shared;
    uint32_t id = r->plan->trace->ops[op].id;
    struct oracle_place place;
    if (id == TRACE_NO_ID || !oracle_place(r->blocks, id, &place))
        return;
    size_t size = place.usable > place.size ? place.usable : place.size;
    scene_set(r->scene, id, NULL);
    shared->marks[0] = (struct scene_piece){
        .at = place.at, .size = size, .asked = place.size, .id = id};
    shared->nmarks = 1 + (unsigned)scene_at(r->scene, place.at, size,
                                            shared->marks + 1, SCENE_MARKS - 1);
}

static bool perform(struct turns *r, unsigned thread)
{
    struct scene_shared *shared = r->plan->shared;
    size_t op = r->next;
    struct oracle_where where = {
        .trace = r->plan->trace, .op = op, .thread = thread};
    atomic_store_explicit(&shared->op, op, memory_order_relaxed);
    if (!oracle_op(r->oracle, &where, r->blocks)) {
        mark_clash(r, op);
        return false;
    }
    note_place(r, op);
    if (is_moment(r->plan, op))
        look(r, op + 1);
    return true;
}

/* ---- whose turn ---------------------------------------------------------- */

static unsigned thread_of(const struct turns *r)
{
    return r->plan->trace->ops[r->next].thread;
}

/* Do what is this thread's from here on, and wake the next.
 * @pre the lock, and it is its turn. @return whether all is done */
static bool take_turn(struct turns *r, unsigned me, bool alone)
{
    size_t n = r->plan->trace->nops;
    while (!r->over && (alone || thread_of(r) == me)) {
        bool good = perform(r, me);
        r->next += good;
        r->over = !good || r->next == n;
    }
    return r->over;
}

static void *play(void *arg)
{
    struct player *p = arg;
    struct turns *r = p->turns;
    unsigned n = r->plan->trace->nthreads;
    pthread_mutex_lock(&r->lock);
    while (!r->over && thread_of(r) != p->number)
        pthread_cond_wait(&r->turn[p->number], &r->lock);
    if (r->a.thread_init)
        r->a.thread_init();
    while (!take_turn(r, p->number, false)) {
        pthread_cond_signal(&r->turn[thread_of(r)]);
        while (!r->over && thread_of(r) != p->number)
            pthread_cond_wait(&r->turn[p->number], &r->lock);
    }
    for (unsigned i = 0; i < n; i++)
        pthread_cond_signal(&r->turn[i]);
    pthread_mutex_unlock(&r->lock);
    return NULL; /* thread_exit is for a heap that goes on */
}

static bool play_by_threads(struct turns *r)
{
    unsigned n = r->plan->trace->nthreads;
    struct player *players = driver_mem_alloc(n * sizeof *players);
    r->turn = driver_mem_alloc(n * sizeof *r->turn);
    pthread_mutex_init(&r->lock, NULL);
    for (unsigned i = 0; i < n; i++)
        pthread_cond_init(&r->turn[i], NULL);
    for (unsigned i = 0; i < n; i++) {
        players[i] = (struct player){.turns = r, .number = i};
        int error = pthread_create(&players[i].thread, NULL, play, &players[i]);
        if (error) {
            fault_set(&r->plan->shared->fault, FAULT_CRASH, i,
                      "%s: cannot start thread %u of %u: %s", r->a.name, i, n,
                      strerror(error));
            return false;
        }
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(players[i].thread, NULL);
    return true;
}

bool scene_replay(const struct scene_plan *plan)
{
    const struct trace *t = plan->trace;
    struct fault *fault = &plan->shared->fault;
    struct turns r = {.plan = plan,
                      .a = account_open(submission_here(plan->a))};
    crash_note_none();
    alarm(plan->seconds);
    r.over = t->nops == 0;
    r.oracle = oracle_new(&r.a, plan->level, fault);
    r.blocks = oracle_begin(r.oracle, t);
    r.scene = scene_new(&r.a, t->nids);
    if (r.a.init() != 0)
        fault_set(fault, FAULT_NULL, 0, "%s: init failed: %s", r.a.name,
                  strerror(errno));
    account_started();
    if (fault_seen(fault))
        return false;
    if (t->nthreads > 1 && !r.a.single_threaded) {
        play_by_threads(&r);
    } else {
        if (r.a.thread_init)
            r.a.thread_init();
        take_turn(&r, 0, true);
    }
    alarm(0);
    return !fault_seen(fault);
}
