/* options.c - see options.h. */
#include "driver/run/options.h"

#include "driver/base/driver_mem.h"
#include "driver/base/registry.h"
#include "driver/run/options_help.h"
#include "driver/run/options_table.h"
#include "driver/run/peer.h"
#include "driver/run/stages.h"
#include "driver/run/submission.h"
#include "driver/trace/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_DIR "traces"
#define MAX_RUNS 1000
#define MAX_SECONDS 86400
#define MAX_MIB (1u << 30)
#define MAX_SPEED 1000000000 /* operations a second */
#define ERR_ROOM 1024

static _Noreturn void __attribute__((format(printf, 1, 2)))
usage(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("mdriver: ", stderr);
    vfprintf(stderr, format, args);
    fputs("; mdriver -h lists the options\n", stderr);
    va_end(args);
    exit(EXIT_USAGE);
}

/* ---- values -------------------------------------------------------------- */

static unsigned number(const char *text, const char *option, unsigned least,
                       unsigned most)
{
    char *end;
    errno = 0;
    unsigned long n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno || n < least || n > most)
        usage("option %s: found '%s', expected a number from %u to %u", option,
              text, least, most);
    return (unsigned)n;
}

/* Calls each with every item of a list that commas separate. */
static void each_item(struct options *o, const char *list,
                      void (*each)(struct options *, const char *))
{
    char *copy = driver_mem_strdup(list), *rest = copy, *item;
    while ((item = strsep(&rest, ",")))
        each(o, item);
    driver_mem_free(copy);
}

static void add_threads(struct options *o, const char *item)
{
    if (o->nthreads == MDRIVER_MAX_THREADS)
        usage("option -n: more than %d numbers of threads",
              MDRIVER_MAX_THREADS);
    o->threads[o->nthreads++] = number(item, "-n", 1, MDRIVER_MAX_THREADS);
}

static void add_allocator(struct options *o, const struct mm_allocator *a)
{
    for (unsigned i = 0; i < o->nallocators; i++)
        if (o->allocators[i] == a)
            return;
    o->allocators[o->nallocators++] = a;
}

static _Noreturn void unknown_allocator(const char *name)
{
    char known[512] = "";
    for (size_t i = 0; registry[i]; i++)
        snprintf(known + strlen(known), sizeof known - strlen(known), " %s",
                 registry[i]->name);
    usage("option -a: no allocator is called '%s'; there are:%s jemalloc "
          "tcmalloc mimalloc, and files named *.so or *.c",
          name, known);
}

/* One that is not installed is left out; one that cannot serve is a mistake. */
static void add_peer(struct options *o, const char *item)
{
    char err[ERR_ROOM];
    bool missing;
    const struct mm_allocator *a = NULL;
    if (strchr(item, '/') || submission_named(item))
        a = submission_open(item, &missing, err, sizeof err);
    if (a == NULL && submission_named(item))
        usage("option -a: %s", err);
    if (!a)
        a = peer_open(item, &missing, err, sizeof err);
    if (a)
        add_allocator(o, a);
    else if (!missing)
        usage("option -a: %s", err);
    else
        fprintf(stderr, "mdriver: %s; it is left out\n", err);
}

static void add_allocators(struct options *o, const char *item)
{
    const struct mm_allocator *a = registry_find(item);
    if (a)
        add_allocator(o, a);
    else if (peer_named(item) || submission_named(item))
        add_peer(o, item);
    else if (strcmp(item, "all") != 0)
        unknown_allocator(item);
    else
        for (size_t i = 0; registry[i]; i++)
            if (!registry_is_null(registry[i]))
                add_allocator(o, registry[i]);
}

/* ---- traces -------------------------------------------------------------- */

static void add_path(struct options *o, const char *path)
{
    char **more = realloc(o->paths, (o->npaths + 1) * sizeof *more);
    char *copy = strdup(path);
    if (!more || !copy)
        usage("out of memory for %zu traces", o->npaths + 1);
    o->paths = more;
    o->paths[o->npaths++] = copy;
}

static void add_dir(struct options *o, const char *dir)
{
    char err[ERR_ROOM];
    size_t n;
    char **list = trace_list(dir, &n, err, sizeof err);
    if (!list) {
        fprintf(stderr, "mdriver: %s\n", err);
        exit(EXIT_USAGE);
    }
    for (size_t i = 0; i < n; i++) {
        add_path(o, list[i]);
        free(list[i]);
    }
    free(list);
}

/* ---- the command line ---------------------------------------------------- */

/* getopt takes only `--watch=FILE`; `--watch FILE` means the same. */
static void read_watch(struct options *o, char **argv)
{
    o->watch = true;
    if (!optarg && argv[optind] && argv[optind][0] != '-')
        optarg = argv[optind++];
    o->watch_page = optarg;
}

/* @return false: the option is none that names a file */
static bool read_file(struct options *o, int option)
{
    switch (option) {
    case OPT_WEIGHTS: o->weights = optarg; break;
    case OPT_CSV: o->csv = optarg; break;
    case OPT_JSON: o->json = optarg; break;
    case OPT_HEAPMAP: o->heapmap = optarg; break;
    default: return false;
    }
    return true;
}

static void read_one(struct options *o, int option, char **argv)
{
    switch (option) {
    case 't': add_dir(o, optarg); break;
    case 'f': add_path(o, optarg); break;
    case 'n': each_item(o, optarg, add_threads); break;
    case 'a':
        o->chosen = true;
        each_item(o, optarg, add_allocators);
        break;
    case 'd': o->level = (int)number(optarg, "-d", 0, 2); break;
    case 's': o->seconds = number(optarg, "-s", 1, MAX_SECONDS); break;
    case 'r': o->runs = number(optarg, "-r", 1, MAX_RUNS); break;
    case 'l': o->show_libc = true; break;
    case 'v': o->verbose = o->verbose > 1 ? o->verbose : 1; break;
    case 'V': o->verbose = 2; break;
    case 'g': o->grade = true; break;
    case OPT_KEEP_GOING: o->keep_going = true; break;
    case OPT_LIMIT:
        o->limit = number(optarg, "--limit", 0, MAX_SECONDS);
        o->limited = true;
        break;
    case OPT_MEMORY: o->memory = number(optarg, "--memory", 1, MAX_MIB); break;
    case OPT_SAME: o->same = true; break;
    case OPT_PIN: o->pin = true; break;
    case OPT_LIST: o->list = true; break;
    case OPT_LATENCY: o->latency = true; break;
    case OPT_COUNT: o->count = true; break;
    case OPT_ONCE: o->once = true; break;
    case OPT_WATCH: read_watch(o, argv); break;
    case OPT_WATCH_SPEED:
        o->watch_speed = number(optarg, "--watch-speed", 1, MAX_SPEED);
        break;
    case 'h': fputs(help, stdout); exit(EXIT_SUCCESS);
    case ':': usage("option %s: its value is missing", argv[optind - 1]);
    default:
        if (!read_file(o, option))
            usage("unknown option %s", argv[optind - 1]);
    }
}

/* -V compares with one thread. */
static void want_one_thread(struct options *o)
{
    for (unsigned i = 0; i < o->nthreads; i++)
        if (o->threads[i] == 1)
            return;
    memmove(o->threads + 1, o->threads, o->nthreads * sizeof *o->threads);
    o->threads[0] = 1;
    o->nthreads++;
}

static void want_counts(struct options *o)
{
    size_t i = 0;
    while (registry[i] && !registry[i]->counts)
        i++;
    if (!registry[i])
        usage("option --count: no allocator of this build counts; "
              "`make COUNT=1` builds build-count/mdriver, which does");
    if (o->grade || o->latency || o->verbose > 1)
        usage("option --count: nothing is timed, so not with -g, -V or "
              "--latency");
    if (o->nthreads == 0)
        each_item(o, "1,2,16,64", add_threads);
}

/* --once replays in this process, whose malloc is libc's. */
static void refuse_libraries(const struct options *o)
{
    for (unsigned i = 0; i < o->nallocators; i++)
        if (peer_library(o->allocators[i]))
            usage("option --once: found %s, a library, expected one of those "
                  "that are linked in",
                  o->allocators[i]->name);
}

static void want_watch(const struct options *o)
{
    if (o->npaths != 1)
        usage("option --watch: found %zu traces, expected one: -f FILE",
              o->npaths);
    if (o->threads[0] != 1 || o->nthreads > 1)
        usage("option --watch: the trace's own threads take turns, so not "
              "-n %u",
              o->threads[o->nthreads - 1]);
    if (o->watch_page && o->nallocators > 2)
        usage("option --watch: found %u allocators, expected one or two that "
              "are put side by side",
              o->nallocators);
    for (unsigned i = 0; i < o->nallocators; i++)
        if (peer_library(o->allocators[i]) ||
            registry_is_null(o->allocators[i]))
            usage("option --watch: %s has no heap that the driver can see; "
                  "expected one of those that are linked in",
                  o->allocators[i]->name);
}

/* The stages; where one has to do, and in a driver without them, the first. */
static void add_default(struct options *o)
{
    if (!o->grade && !o->once && !o->heapmap && !o->watch && !o->count)
        for (const struct stage *s = stages; s->name; s++)
            if (registry_find(s->name))
                add_allocator(o, registry_find(s->name));
    o->stages = o->nallocators > 0;
    if (!o->stages)
        add_allocator(o, registry[0]);
}

static void fill_defaults(struct options *o)
{
    if (o->count)
        want_counts(o);
    if (o->grade && o->level == 0)
        usage("option -g: points need checked blocks, so not -d 0");
    if (o->weights && !o->grade)
        usage("option --weights: they weigh a grade, so only with -g");
    if (o->npaths == 0 && !o->list)
        add_dir(o, DEFAULT_DIR);
    if (o->nthreads == 0)
        o->threads[o->nthreads++] = 1;
    if (o->heapmap && (o->threads[0] != 1 || o->nthreads > 1))
        usage("option --heapmap: its replay is by one thread, so not -n %u",
              o->threads[o->nthreads - 1]);
    if (o->verbose > 1)
        want_one_thread(o);
    if (o->once)
        refuse_libraries(o);
    if (o->nallocators == 0 && o->chosen)
        usage("option -a: none of these is installed");
    if (o->nallocators == 0)
        add_default(o);
    if (o->watch)
        want_watch(o);
}

static char *one_string(int argc, char **argv)
{
    size_t size = 1;
    for (int i = 0; i < argc; i++)
        size += strlen(argv[i]) + 1;
    char *text = driver_mem_alloc(size), *end = text;
    for (int i = 0; i < argc; i++)
        end += sprintf(end, "%s%s", i ? " " : "", argv[i]);
    return text;
}

void options_read(struct options *o, int argc, char **argv)
{
    int option;
    *o = (struct options){.level = 1,
                          .seconds = MDRIVER_WATCHDOG_SECONDS,
                          .limit = MDRIVER_LIMIT_SECONDS};
    o->allocators = driver_mem_alloc((registry_count() + MDRIVER_MAX_PEERS) *
                                     sizeof *o->allocators);
    o->command = one_string(argc, argv);
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":t:f:n:a:ld:s:r:vVgh",
                                 long_options, NULL)) != -1)
        read_one(o, option, argv);
    if (optind < argc)
        usage("unexpected argument '%s'; traces are given with -f or -t",
              argv[optind]);
    fill_defaults(o);
}

void options_free(struct options *o)
{
    for (size_t i = 0; i < o->npaths; i++)
        free(o->paths[i]);
    free(o->paths);
    driver_mem_free(o->allocators);
    driver_mem_free(o->command);
}
