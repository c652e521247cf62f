/* heapmap_run.c - see heapmap_run.h. */
#include "driver/report/heapmap_run.h"

#include "driver/base/driver_mem.h"
#include "driver/base/progress.h"
#include "driver/base/registry.h"
#include "driver/check/account.h"
#include "driver/check/oracle.h"
#include "driver/report/heapmap.h"
#include "driver/report/report.h"
#include "driver/run/crash_note.h"
#include "driver/run/peer.h"
#include "driver/run/submission.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct sampling {
    const struct mm_allocator *a;
    const struct trace *t;
    struct oracle_block *blocks;
    struct oracle_place *live; /* room for all ids */
    struct heapmap *map;
};

static void take_sample(struct sampling *s, size_t ops)
{
    struct mm_stats stats = {0};
    size_t n = 0;
    s->a->stats(&stats);
    for (size_t id = 0; id < s->t->nids; id++)
        n += oracle_place(s->blocks, id, &s->live[n]);
    heapmap_add(s->map, ops, s->live, n, &stats);
}

/* The whole replay; a sample after each nops / HEAPMAP_SAMPLES operations.
 * @param seconds  that a part between two samples may take */
static bool replay(struct oracle *oracle, struct sampling *s, unsigned seconds)
{
    size_t nops = s->t->nops, samples = HEAPMAP_SAMPLES, taken = 0;
    samples = samples < nops ? samples : nops;
    struct oracle_where where = {.trace = s->t};
    alarm(seconds);
    for (; where.op < nops; where.op++) {
        if (!oracle_op(oracle, &where, s->blocks))
            return false;
        if ((where.op + 1) * samples / nops > taken) {
            take_sample(s, where.op + 1);
            taken++;
            alarm(seconds);
        }
    }
    return true;
}

/* In the child. @return its exit status */
static int draw(const struct options *o, const struct mm_allocator *a,
                const struct trace *t, FILE *csv)
{
    static struct fault fault;
    crash_note_none();
    a = submission_here(a);
    struct mm_allocator own = account_open(a);
    a = &own;
    struct sampling s = {.a = a, .t = t};
    struct oracle *oracle = oracle_new(a, o->level ? o->level : 1, &fault);
    s.blocks = oracle_begin(oracle, t);
    s.live = driver_mem_alloc((t->nids + 1) * sizeof *s.live);
    s.map = heapmap_new(heapmap_unit(t->peak_payload), HEAPMAP_SAMPLES);
    if (a->init() != 0) {
        fprintf(stderr, "FAULT null: %s: init failed: %s\n", a->name,
                strerror(errno));
        return EXIT_FAULT;
    }
    account_started();
    if (a->thread_init)
        a->thread_init();
    if (!replay(oracle, &s, o->seconds)) {
        fprintf(stderr, "FAULT %s: %s\n", fault_name(fault.kind), fault.text);
        return EXIT_FAULT;
    }
    heapmap_print(s.map, csv, a->name, t->name, HEAPMAP_ROWS);
    if (fflush(csv) == 0)
        return EXIT_SUCCESS;
    fprintf(stderr, "mdriver: %s: cannot write all of the map to it\n",
            o->heapmap);
    return EXIT_FAULT;
}

/* @return whether a whole map was written */
static bool run(const struct options *o, const struct mm_allocator *a,
                const struct trace *t, FILE *csv)
{
    int status;
    progress("heap map of %s: %s", a->name, t->name);
    fflush(NULL); /* else the child would write it again */
    pid_t child = fork();
    if (child == 0)
        _exit(draw(o, a, t, csv));
    if (child < 0 || waitpid(child, &status, 0) != child) {
        fprintf(stderr, "mdriver: cannot start a process for %s\n", a->name);
        return false;
    }
    if (WIFSIGNALED(status)) {
        int signal = WTERMSIG(status);
        fprintf(stderr, "FAULT %s: %s: %s: %s\n",
                signal == SIGALRM ? "hang" : "crash", a->name, t->path,
                strsignal(signal));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS;
}

/* A library would have to be malloc of this very process. */
static void refuse_libraries(const struct options *o)
{
    for (unsigned a = 0; a < o->nallocators; a++)
        if (peer_library(o->allocators[a])) {
            fprintf(stderr,
                    "mdriver: --heapmap: %s is a library: LD_PRELOAD it, and "
                    "say -a libc\n",
                    o->allocators[a]->name);
            exit(EXIT_USAGE);
        }
}

int heapmap_run(const struct options *o, struct trace **traces, FILE *csv)
{
    struct origin from = report_origin();
    bool good = true;
    refuse_libraries(o);
    fprintf(csv, "# command: %s; date: %s; machine: %s, %ld processors, %s\n",
            o->command, from.date, from.cpu, from.processors, from.machine);
    heapmap_header(csv, HEAPMAP_ROWS);
    for (unsigned a = 0; a < o->nallocators; a++)
        for (size_t t = 0; t < o->npaths; t++)
            if (!registry_is_null(o->allocators[a]))
                good &= run(o, o->allocators[a], traces[t], csv);
    progress_clear();
    return good ? EXIT_SUCCESS : EXIT_FAULT;
}
