/* report_cell.c - see report_cell.h. */
#include "driver/report/report_cell.h"

#include <stdio.h>
#include <string.h>

static const char *number(char *text, const char *format, double value,
                          bool known)
{
    if (known)
        snprintf(text, CELL, format, value);
    else
        strcpy(text, "-");
    return text;
}

const char *cell_percent(char text[CELL], double fraction, bool known)
{
    return number(text, "%.1f%%", 100 * fraction, known);
}

const char *cell_ratio(char text[CELL], double ratio)
{
    return number(text, ratio < 100 ? "%.2fx" : "%.0fx", ratio, ratio > 0);
}

/* Four digits that count, in the unit that suits. */
const char *cell_time(char text[CELL], double seconds)
{
    static const char *const units[] = {"s", "ms", "us", "ns"};
    unsigned u = 0;
    for (; seconds < 1 && u < 3; u++)
        seconds *= 1000;
    int digits = seconds >= 100 ? 1 : seconds >= 10 ? 2 : 3;
    if (seconds > 0)
        snprintf(text, CELL, "%.*f %s", digits, seconds, units[u]);
    else
        strcpy(text, "-");
    return text;
}

/* To the byte below 10000, then in KB, MB, GB of 1000. */
const char *cell_bytes(char text[CELL], size_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    double value = (double)bytes / 1000;
    unsigned u = 0;
    for (; value >= 1000 && u < 3; u++)
        value /= 1000;
    if (bytes == 0)
        strcpy(text, "-");
    else if (bytes < 10000)
        snprintf(text, CELL, "%zu B", bytes);
    else
        snprintf(text, CELL, "%.*f %s", value >= 100 ? 0 : 1, value, units[u]);
    return text;
}

const char *cell_mops(char text[CELL], double per_second)
{
    return number(text, "%.2f", per_second / 1e6, per_second > 0);
}

const char *cell_trace(char text[CELL], const char *name, int width)
{
    int length = (int)strlen(name), tail = (width - 2) / 2;
    if (length <= width)
        snprintf(text, CELL, "%s", name);
    else
        snprintf(text, CELL, "%.*s..%s", width - 2 - tail, name,
                 name + length - tail);
    return text;
}
