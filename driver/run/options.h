/* options.h - the command line, read once. */
#ifndef DRIVER_OPTIONS_H
#define DRIVER_OPTIONS_H

#include "config.h"
#include "mm.h"

#include <stdbool.h>
#include <stddef.h>

#define EXIT_FAULT 1 /* an allocator is faulty */
#define EXIT_USAGE 2 /* a bad option, trace, or file to write to */

struct options {
    char **paths; /* of the traces, npaths; directories already listed */
    size_t npaths;
    unsigned threads[MDRIVER_MAX_THREADS + 1]; /* -n, nthreads of them */
    unsigned nthreads;
    const struct mm_allocator **allocators; /* -a, nallocators */
    unsigned nallocators;
    bool chosen;              /* by -a */
    bool stages;              /* not chosen: all of stages.h */
    bool keep_going, limited; /* limited: by --limit */
    unsigned limit, memory; /* --limit, seconds; --memory, MiB, 0: by payload */
    bool same, list, show_libc, grade, pin, latency, count, once;
    int level;                        /* -d */
    unsigned seconds;                 /* -s */
    unsigned runs;                    /* -r; 0: until the best agree */
    int verbose;                      /* 1: -v, 2: -V */
    const char *csv, *json, *heapmap; /* NULL: not wanted */
    const char *weights; /* of traces in a grade; NULL: all alike */
    bool watch;
    const char *watch_page; /* NULL: drawn on standard output */
    unsigned watch_speed;   /* operations a second; 0: the usual */
    char *command;          /* the command line as one string */
};

/** Read the command line. On a mistake it prints one line and exits with
 * EXIT_USAGE; for -h it prints the help and exits with 0. */
void options_read(struct options *o, int argc, char **argv);
void options_free(struct options *o);

#endif
