/* peer_child.c - the processes that have a peer preloaded; see peer.h.
 *
 * Whether a library serves is asked of such a process: each function that a
 * replay calls must come from it, or from a library that came with it, and not
 * from the C library. Else glibc would be measured under another's name, or
 * one's blocks would be freed by the other. */
#include "driver/run/peer.h"

#include "driver/base/driver_mem.h"
#include "driver/base/registry.h"
#include "driver/base/sanitized.h"
#include "driver/run/isolate.h"
#include "driver/run/submission.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PEER_ARGUMENT "--as-peer" /* argv[1]; then memory, fd, traces */
#define PROBE_ARGUMENT "--probe-peer"
#define PROBE_LACKS 64 /* exit status: the first function that is missing */
#define NUMBER 16      /* room for a file descriptor's digits */

/* ---- does a library serve? ----------------------------------------------- */

static const struct needed {
    const char *name;
    void *function;
} needed[] = {
    {"malloc", (void *)malloc},
    {"free", (void *)free},
    {"realloc", (void *)realloc},
    {"calloc", (void *)calloc},
    {"posix_memalign", (void *)posix_memalign},
    {"malloc_usable_size", (void *)malloc_usable_size},
};
#define NEEDED (sizeof needed / sizeof *needed)

static const void *object_of(void *function)
{
    Dl_info info;
    return dladdr(function, &info) ? info.dli_fbase : NULL;
}

/* In a process that has a library preloaded. */
static _Noreturn void probe(void)
{
    const void *libc = object_of((void *)getpid);
    const void *self = object_of((void *)peer_main);
    for (size_t i = 0; i < NEEDED; i++) {
        const void *object = object_of(needed[i].function);
        if (object == libc || object == self)
            _exit(PROBE_LACKS + (int)i);
    }
    _exit(0);
}

static _Noreturn void exec_self(const char *library, char **argv)
{
    if (library ? setenv("LD_PRELOAD", library, 1) == 0
                : setenv("GLIBC_TUNABLES", SUBMISSION_TUNABLES, 1) == 0)
        execv("/proc/self/exe", argv);
    fprintf(stderr, "mdriver: cannot start itself again: %s\n",
            strerror(errno));
    _exit(CHILD_EXIT_LACK);
}

/* @return 0, PROBE_LACKS and more, or another status if it did not even run. */
static int ask(const char *library)
{
    char *argv[] = {"mdriver", PROBE_ARGUMENT, NULL};
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        /* The linker's complaint; ours says more. */
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        exec_self(library, argv);
    }
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool peer_possible(void)
{
    return !SANITIZED;
}

bool peer_serves(const char *library, char *err, size_t room)
{
    int status = SANITIZED ? -1 : ask(library), i = status - PROBE_LACKS;
    if (status == 0)
        return true;
    if (i > 0 && i < (int)NEEDED)
        snprintf(err, room,
                 "%s: found no %s in it; expected a library that "
                 "replaces the whole malloc family",
                 library, needed[i].name);
    else
        snprintf(err, room,
                 "%s: preloading it does not replace malloc; "
                 "`LD_PRELOAD=%s /bin/true` may tell why",
                 library, library);
    return false;
}

/* ---- its child ----------------------------------------------------------- */

static int nothing_to_start(void)
{
    return 0;
}

static void nothing_to_end(void)
{
}

static void *plain_memalign(size_t align, size_t size)
{
    void *p;
    if (align < sizeof(void *))
        align = sizeof(void *);
    errno = posix_memalign(&p, align, size);
    return errno ? NULL : p;
}

static size_t plain_usable_size(const void *p)
{
    return malloc_usable_size((void *)p);
}

static void no_stats(struct mm_stats *out)
{
    *out = (struct mm_stats){0};
}

static const struct mm_allocator plain = {
    .small_align = true,
    .init = nothing_to_start,
    .fini = nothing_to_end,
    .malloc = malloc,
    .free = free,
    .realloc = realloc,
    .calloc = calloc,
    .memalign = plain_memalign,
    .usable_size = plain_usable_size,
    .stats = no_stats,
};

_Noreturn void peer_exec(const struct job *job, struct shared *shared,
                         int memory, int fd)
{
    const struct round *r = job->round;
    char memory_text[NUMBER], fd_text[NUMBER];
    char **argv = driver_mem_alloc((r->nparts + 5) * sizeof *argv);
    struct order *order = &shared->order;
    *order = (struct order){.level = job->level,
                            .image = job->image,
                            .memory = job->memory,
                            .pin = job->pin,
                            .latency = job->latency,
                            .ticker = job->ticker,
                            .nparts = r->nparts,
                            .nthreads = r->nthreads};
    snprintf(order->name, sizeof order->name, "%s", job->allocator->name);
    snprintf(memory_text, sizeof memory_text, "%d", memory);
    snprintf(fd_text, sizeof fd_text, "%d", fd);
    memcpy(argv, (char *[]){"mdriver", PEER_ARGUMENT, memory_text, fd_text},
           4 * sizeof *argv);
    for (unsigned p = 0; p < r->nparts; p++) {
        order->parts[p] = r->parts[p];
        argv[4 + p] = job->traces[r->parts[p].trace]->path;
        if (r->parts[p].trace >= order->ntraces)
            order->ntraces = r->parts[p].trace + 1;
    }
    fcntl(memory, F_SETFD, 0); /* all others close */
    fcntl(fd, F_SETFD, 0);
    if (job->image >= 0)
        fcntl(job->image, F_SETFD, 0);
    exec_self(job->library, argv);
}

/* The traces of the parts, each at its number. */
static struct trace **read_traces(const struct order *order, char **paths)
{
    struct trace **traces = driver_mem_alloc(order->ntraces * sizeof *traces);
    char err[1024];
    for (unsigned p = 0; p < order->nparts; p++) {
        struct trace **t = &traces[order->parts[p].trace];
        if (!*t)
            *t = trace_read(paths[p], err, sizeof err);
        if (!*t) {
            fprintf(stderr, "mdriver: %s\n", err);
            _exit(CHILD_EXIT_LACK);
        }
    }
    return traces;
}

void peer_main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], PROBE_ARGUMENT) == 0)
        probe();
    if (argc < 4 || strcmp(argv[1], PEER_ARGUMENT) != 0)
        return;
    struct shared *shared = driver_mem_attach(atoi(argv[2]));
    struct order *order = &shared->order;
    struct mm_allocator a = plain;
    struct round round = {order->parts, order->nparts, order->nthreads};
    a.name = order->name;
    struct trace **traces = read_traces(order, argv + 4);
    if (order->image >= 0) {
        registry_adopt(&a);
        isolate_user();
    }
    child_main(&(struct job){.allocator = &a,
                             .traces = traces,
                             .image = order->image,
                             .memory = order->memory,
                             .round = &round,
                             .level = order->level,
                             .pin = order->pin,
                             .latency = order->latency,
                             .ticker = order->ticker},
               shared, atoi(argv[3]));
}
