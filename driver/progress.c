/* progress.c - see progress.h. */
#include "driver/progress.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"
#define WIDTH 79

static bool shown;

void progress(const char *format, ...)
{
    char line[WIDTH + 1];
    if (!isatty(STDERR_FILENO))
        return;
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, CLEAR_LINE "%s", line);
    fflush(stderr);
    shown = true;
}

void progress_clear(void)
{
    if (shown)
        fputs(CLEAR_LINE, stderr);
    shown = false;
}
