/* scene_run.c - see scene_run.h. */
#include "driver/report/scene_run.h"

#include "driver/base/driver_mem.h"
#include "driver/base/progress.h"
#include "driver/report/scene_page.h"
#include "driver/report/scene_text.h"
#include "driver/run/isolate.h"
#include "driver/run/submission.h"
#include "driver/trace/trace_text.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOMENTS_ALL 10000      /* a trace of so many operations: at each */
#define MOMENTS_THINNED 1500   /* of a longer one */
#define PIECES_LOOKED_AT 100e6 /* in all; more blocks, fewer moments */
#define MOMENTS_LEAST 100
#define DENSE_OPS 500      /* before a fault: at each */
#define MOMENTS_PRINTED 12 /* where nobody watches them live */
#define SPEED 50           /* operations a second */
#define PICTURES 25        /* a second, at most */

/* ---- a process for one allocator ----------------------------------------- */

/* What a process that died without a word died of. */
static void tell_death(const struct scene_plan *plan, int status)
{
    const struct trace *t = plan->trace;
    struct scene_shared *shared = plan->shared;
    size_t op = atomic_load(&shared->op);
    char what[TRACE_TEXT] = "", how[64];
    int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    if (op < t->nops)
        trace_op_text(&t->ops[op], what, sizeof what);
    if (signal == SIGALRM)
        snprintf(how, sizeof how, "it does not return");
    else if (signal)
        snprintf(how, sizeof how, "it crashed: %s", strsignal(signal));
    else
        snprintf(how, sizeof how, "it called exit(%d)", WEXITSTATUS(status));
    fault_set(&shared->fault, signal == SIGALRM ? FAULT_HANG : FAULT_CRASH, 0,
              "%s: %s:%u: %s: %s", plan->a->name, t->path,
              op < t->nops ? trace_line(t, op) : 0, what, how);
}

/* One that was handed in has the rights of any other child (isolate.h), but
 * that it writes to a file, if it is to be a page. */
static void isolate(const struct scene_plan *plan, FILE *frames)
{
    int image = submission_image(plan->a);
    if (image < 0)
        return;
    int keep[] = {image, frames ? fileno(frames) : -1};
    isolate_files(STDOUT_FILENO, keep, frames ? 2 : 1);
    isolate_user();
    isolate_calls();
}

/* @return false: there is a fault, in the plan's shared one */
static bool replay_apart(const struct scene_plan *plan, FILE *frames)
{
    int status = 0;
    fflush(NULL); /* else the child would write it again */
    pid_t child = fork();
    if (child == 0) {
        isolate(plan, frames);
        bool good = scene_replay(plan);
        fflush(stdout);
        _exit(good ? EXIT_SUCCESS : EXIT_FAULT);
    }
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "mdriver: cannot start a process for %s: %s\n",
                plan->a->name, strerror(errno));
        exit(3);
    }
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE)
        exit(EXIT_USAGE); /* nobody reads on; no fault of the allocator's */
    if (!fault_seen(&plan->shared->fault) && status != 0)
        tell_death(plan, status);
    return !fault_seen(&plan->shared->fault);
}

static void say_fault(const struct scene_shared *shared)
{
    int kind = atomic_load(&shared->fault.kind);
    if (kind != FAULT_NONE)
        fprintf(stderr, "FAULT %s: %s\n", fault_name(kind), shared->fault.text);
}

/* ---- the page ------------------------------------------------------------ */

static void keep_frame(void *arg, const struct scene_moment *moment)
{
    struct scene_heap *h = arg;
    scene_frame(h->shared, h->frames, moment);
}

static size_t moments(const struct trace *t)
{
    size_t live = 0, most = 1;
    for (size_t i = 0; i < t->nops; i++) {
        live += t->ops[i].kind != TRACE_FREE && t->ops[i].kind != TRACE_REALLOC;
        live -= t->ops[i].kind == TRACE_FREE && live > 0;
        most = live > most ? live : most;
    }
    size_t n = t->nops <= MOMENTS_ALL ? t->nops : MOMENTS_THINNED;
    size_t affordable = (size_t)(PIECES_LOOKED_AT / (double)most);
    if (affordable < MOMENTS_LEAST)
        affordable = MOMENTS_LEAST;
    return n < affordable ? n : affordable;
}

static struct scene_shared *new_shared(void)
{
    int fd;
    struct scene_shared *shared = driver_mem_shared(sizeof *shared, &fd);
    close(fd);
    return shared;
}

static void begin(struct scene_heap *h)
{
    if (h->frames)
        fclose(h->frames);
    driver_mem_free(h->shared);
    h->shared = new_shared();
    h->frames = tmpfile();
    if (!h->frames) {
        fprintf(stderr, "mdriver: --watch: cannot make a temporary file: %s\n",
                strerror(errno));
        exit(EXIT_USAGE);
    }
}

/* A fault in a thinned replay: once more, and no operation before it left out.
 */
static bool record(const struct options *o, const struct trace *t,
                   struct scene_heap *h)
{
    struct scene_plan plan = {.a = h->a,
                              .trace = t,
                              .moments = moments(t),
                              .dense_from = SCENE_NEVER,
                              .level = o->level ? o->level : 1,
                              .seconds = o->seconds,
                              .show = keep_frame,
                              .arg = h};
    begin(h);
    plan.shared = h->shared;
    progress("watching %s: %s", h->a->name, t->name);
    bool good = replay_apart(&plan, h->frames);
    if (!good && plan.moments < t->nops) {
        size_t op = atomic_load(&h->shared->op);
        plan.dense_from = op > DENSE_OPS ? op - DENSE_OPS : 0;
        begin(h);
        plan.shared = h->shared;
        good = replay_apart(&plan, h->frames);
    }
    progress_clear();
    say_fault(h->shared);
    return good;
}

static int make_page(const struct options *o, const struct trace *t, FILE *page)
{
    struct scene_heap *heaps = driver_mem_alloc(o->nallocators * sizeof *heaps);
    bool good = true;
    for (unsigned i = 0; i < o->nallocators; i++) {
        heaps[i].a = o->allocators[i];
        good &= record(o, t, &heaps[i]);
    }
    scene_page(page, o->command, t, heaps, o->nallocators);
    for (unsigned i = 0; i < o->nallocators; i++) {
        fclose(heaps[i].frames);
        driver_mem_free(heaps[i].shared);
    }
    driver_mem_free(heaps);
    return good ? EXIT_SUCCESS : EXIT_FAULT;
}

/* ---- the terminal -------------------------------------------------------- */

struct stage_light {
    const struct scene_plan *plan;
    size_t unit, drawn; /* pictures */
    double pause;       /* seconds after each picture */
    bool live;          /* on a terminal */
};

static void pause_for(double seconds)
{
    struct timespec left = {.tv_sec = (time_t)seconds};
    left.tv_nsec = (long)((seconds - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

static void draw_moment(void *arg, const struct scene_moment *m)
{
    struct stage_light *s = arg;
    const struct trace *t = s->plan->trace;
    const struct trace_op *op = &t->ops[m->ops - 1];
    const char *eol = s->live ? "\033[K" : "";
    char what[TRACE_TEXT];
    trace_op_text(op, what, sizeof what);
    if (s->live)
        fputs(s->drawn ? "\033[H" : "\033[2J\033[H", stdout);
    printf("%s: %s: operation %zu of %zu: %s of block %d by thread %u%s\n",
           s->plan->a->name, t->name, m->ops, t->nops, what, (int)op->id,
           op->thread, eol);
    printf("payload %zu, heap %zu bytes", m->payload, m->heap);
    if (m->heap)
        printf(" (%.1f %% payload)",
               100.0 * (double)m->payload / (double)m->heap);
    s->unit = scene_text_unit(m->pieces, m->n, s->unit);
    printf("; a character is %zu bytes%s\n", s->unit, eol);
    scene_text_draw(stdout, m->pieces, m->n, s->unit, s->live);
    scene_text_legend(stdout, s->live);
    putchar('\n');
    fflush(stdout);
    s->drawn++;
    if (s->live)
        pause_for(s->pause);
}

static size_t pictures(const struct trace *t, bool live, unsigned speed)
{
    size_t n = live && speed > PICTURES ? t->nops * PICTURES / speed : t->nops;
    if (!live)
        n = MOMENTS_PRINTED;
    return n < t->nops ? (n ? n : 1) : t->nops;
}

/* The heap before the operation with the fault, if it has not been shown. */
static void play_to_fault(const struct scene_plan *plan)
{
    size_t op = atomic_load(&plan->shared->op);
    struct scene_plan again = *plan;
    if (op == 0 || atomic_load(&plan->shared->shown) == op)
        return;
    again.moments = 0;
    again.dense_from = op - 1;
    again.shared = new_shared();
    replay_apart(&again, NULL);
    driver_mem_free(again.shared);
}

static bool play(const struct options *o, const struct mm_allocator *a,
                 const struct trace *t)
{
    bool live = isatty(STDOUT_FILENO);
    unsigned speed = o->watch_speed ? o->watch_speed : SPEED;
    struct scene_plan plan = {.a = a,
                              .trace = t,
                              .moments = pictures(t, live, speed),
                              .dense_from = SCENE_NEVER,
                              .level = o->level ? o->level : 1,
                              .seconds = o->seconds,
                              .show = draw_moment};
    struct stage_light light = {.plan = &plan, .unit = 16, .live = live};
    light.pause = 1.0 / (speed < PICTURES ? speed : PICTURES);
    plan.arg = &light;
    plan.shared = new_shared();
    bool good = replay_apart(&plan, NULL);
    if (!good)
        play_to_fault(&plan);
    say_fault(plan.shared);
    driver_mem_free(plan.shared);
    return good;
}

int scene_run(const struct options *o, const struct trace *t, FILE *page)
{
    bool good = true;
    if (page)
        return make_page(o, t, page);
    for (unsigned i = 0; i < o->nallocators; i++)
        good &= play(o, o->allocators[i], t);
    return good ? EXIT_SUCCESS : EXIT_FAULT;
}
