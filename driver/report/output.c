/* output.c - see output.h. */
#include "driver/report/output.h"

#include "driver/run/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static _Noreturn void fail(const char *path, const char *what)
{
    fprintf(stderr, "mdriver: %s: cannot %s: %s; name another file\n", path,
            what, strerror(errno));
    exit(EXIT_USAGE);
}

FILE *output_open(const char *path)
{
    if (!path)
        return NULL;
    FILE *f = fopen(path, "we");
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
