/* progress.c - see progress.h. */
#include "driver/base/progress.h"

#include "driver/base/clock.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#define CLEAR_LINE "\r\033[K"
#define WIDTH 79
#define SECOND UINT64_C(1000000000)

static struct {
    bool shown;
    char what[WIDTH + 1];
    uint64_t since, drawn; /* ns: when it began, the second that was drawn */
    unsigned faults;
} line;

static void draw(uint64_t seconds)
{
    char tail[48] = "", text[WIDTH + sizeof tail];
    int n = 0;
    if (seconds)
        n = snprintf(tail, sizeof tail, ", %llu s",
                     (unsigned long long)seconds);
    if (line.faults)
        snprintf(tail + n, sizeof tail - (size_t)n, ", %u fault%s", line.faults,
                 line.faults == 1 ? "" : "s");
    snprintf(text, sizeof text, "%.*s%s", WIDTH - (int)sizeof tail + 20,
             line.what, tail);
    fprintf(stderr, CLEAR_LINE "%.*s", WIDTH, text);
    fflush(stderr);
    line.shown = true;
    line.drawn = seconds;
}

void progress(const char *format, ...)
{
    va_list args;
    if (!isatty(STDERR_FILENO))
        return;
    va_start(args, format);
    vsnprintf(line.what, sizeof line.what, format, args);
    va_end(args);
    line.since = clock_ns();
    draw(0);
}

void progress_tick(void)
{
    uint64_t seconds = (clock_ns() - line.since) / SECOND;
    if (*line.what && seconds != line.drawn)
        draw(seconds);
}

void progress_fault(void)
{
    line.faults++;
}

void progress_clear(void)
{
    if (line.shown)
        fputs(CLEAR_LINE, stderr);
    line.shown = false;
}
