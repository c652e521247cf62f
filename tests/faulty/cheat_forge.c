/* cheat_forge.c - points that it prints itself, and what else it may try
 * against the driver. Each strikes at a request of FAULTY_SIZE bytes. */
#include "tests/faulty/base.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

#define FORGED                                                                 \
    "{\"scores\": {\"correctness\": 20.00, \"utilization\": 60.00, "           \
    "\"throughput\": 40.00}}\n"

static void forge(int fd)
{
    ssize_t put = write(fd, "\n" FORGED, sizeof "\n" FORGED - 1);
    (void)put;
}

static void forge_at_exit(void)
{
    forge(STDOUT_FILENO);
}

static void *printing_malloc(size_t size)
{
    if (size == FAULTY_SIZE)
        for (int fd = 0; fd < 64; fd++)
            forge(fd);
    return base_malloc(size);
}

static void *killing_malloc(size_t size)
{
    if (size == FAULTY_SIZE) {
        forge(STDOUT_FILENO);
        kill(getppid(), SIGKILL);
        kill(0, SIGKILL);
    }
    return base_malloc(size);
}

static void *opening_malloc(size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd/1", (int)getppid());
    if (size == FAULTY_SIZE)
        forge(open(path, O_WRONLY));
    return base_malloc(size);
}

static void *tracing_malloc(size_t size)
{
    if (size == FAULTY_SIZE)
        ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
    return base_malloc(size);
}

static void *forking_malloc(size_t size)
{
    if (size == FAULTY_SIZE && fork() == 0) {
        sleep(1); /* until the driver has printed its own */
        forge(STDOUT_FILENO);
        _exit(0);
    }
    return base_malloc(size);
}

static void *closing_malloc(size_t size)
{
    if (size == FAULTY_SIZE) {
        for (int fd = 0; fd < 64; fd++)
            close(fd);
        for (;;)
            pause();
    }
    return base_malloc(size);
}

/* Runs in the driver itself, where all allocators are linked in. */
static void __attribute__((constructor)) begin(void)
{
    if (getenv("CHEAT_AT_EXIT"))
        atexit(forge_at_exit);
}

#define FORGES(ident, name, malloc_)                                           \
    FAULTY(ident, name, malloc_, base_free, base_realloc, base_calloc,         \
           base_memalign, base_usable_size, NULL)

FORGES(cheat_prints, "prints-scores", printing_malloc);
FORGES(cheat_kills, "kills-the-driver", killing_malloc);
FORGES(cheat_opens, "opens-the-drivers-files", opening_malloc);
FORGES(cheat_traces, "traces-the-driver", tracing_malloc);
FORGES(cheat_forks, "leaves-a-process", forking_malloc);
FORGES(cheat_closes, "closes-all-files", closing_malloc);
