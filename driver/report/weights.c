/* weights.c - see weights.h. */
#include "driver/report/weights.h"

#include "driver/base/driver_mem.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_ROOM 1024
#define BLANKS " \t\r\n"

static bool number(const char *text, double *out)
{
    char *end;
    *out = strtod(text, &end);
    return *text >= '0' && *text <= '9' && !*end && *out <= WEIGHT_MOST;
}

/* One line into the weights. @return what is wrong with it; NULL: nothing */
static const char *take(char *line, struct trace **traces, unsigned ntraces,
                        double *weights)
{
    char *rest;
    double weight;
    if (!strchr(line, '\n') && strlen(line) == LINE_ROOM - 1)
        return "a line of more than 1000 characters";
    line[strcspn(line, "#")] = '\0';
    const char *name = strtok_r(line, BLANKS, &rest);
    if (!name)
        return NULL;
    const char *value = strtok_r(NULL, BLANKS, &rest);
    if (!value || strtok_r(NULL, BLANKS, &rest))
        return "not two words";
    if (!number(value, &weight))
        return value;
    for (unsigned t = 0; t < ntraces; t++)
        if (strcmp(traces[t]->name, name) == 0)
            weights[t] = weight;
    return NULL;
}

static bool read_lines(FILE *f, const char *path, struct trace **traces,
                       unsigned ntraces, double *weights, char *err,
                       size_t errsize)
{
    char line[LINE_ROOM];
    for (unsigned n = 1; fgets(line, sizeof line, f); n++) {
        const char *found = take(line, traces, ntraces, weights);
        if (!found)
            continue;
        snprintf(err, errsize,
                 "%s:%u: found %s, expected a trace's name and a weight from "
                 "0 to %.0f",
                 path, n, found, WEIGHT_MOST);
        return false;
    }
    if (ferror(f))
        snprintf(err, errsize, "%s: cannot read: %s", path, strerror(errno));
    return !ferror(f);
}

double *weights_read(const char *path, struct trace **traces, unsigned ntraces,
                     char *err, size_t errsize)
{
    double sum = 0;
    FILE *f = fopen(path, "r");
    if (!f) {
        snprintf(err, errsize, "%s: cannot open: %s", path, strerror(errno));
        return NULL;
    }
    double *weights = driver_mem_alloc(ntraces * sizeof *weights);
    for (unsigned t = 0; t < ntraces; t++)
        weights[t] = 1;
    bool good = read_lines(f, path, traces, ntraces, weights, err, errsize);
    fclose(f);
    for (unsigned t = 0; t < ntraces; t++)
        sum += weights[t];
    if (good && sum > 0)
        return weights;
    if (good)
        snprintf(err, errsize,
                 "%s: found weight 0 for every trace, expected one above 0",
                 path);
    driver_mem_free(weights);
    return NULL;
}
