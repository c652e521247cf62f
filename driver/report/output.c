/* output.c - see output.h. */
#include "driver/report/output.h"

#include "driver/run/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STANDARD_OUTPUT "-"

static _Noreturn void fail(const char *path, const char *what)
{
    const char *name = strcmp(path, STANDARD_OUTPUT) ? path : "standard output";
    fprintf(stderr, "mdriver: %s: cannot %s: %s; name another file\n", name,
            what, strerror(errno));
    exit(EXIT_USAGE);
}

/* What is printed from now on goes to standard error. */
static FILE *take_standard_output(void)
{
    static bool taken;
    if (taken) {
        fprintf(stderr, "mdriver: two results, one standard output: found `-` "
                        "twice; name a file for one of them\n");
        exit(EXIT_USAGE);
    }
    taken = true;
    fflush(stdout);
    int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
    if (fd < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
        return NULL;
    return fdopen(fd, "w");
}

FILE *output_open(const char *path)
{
    if (!path)
        return NULL;
    FILE *f = strcmp(path, STANDARD_OUTPUT) == 0 ? take_standard_output()
                                                 : fopen(path, "we");
    if (!f)
        fail(path, "write to it");
    return f;
}

void output_close(FILE *f, const char *path)
{
    if (!f)
        return;
    int failed = ferror(f);
    errno = failed ? EIO : 0;
    if (fflush(f) != 0)
        failed = 1;
    int error = errno;
    if (fclose(f) != 0 && !failed) {
        failed = 1;
        error = errno;
    }
    errno = error;
    if (failed)
        fail(path, "write all results to it");
}
