/* output.h - result files: opened before the run, so that a path that cannot be
 * written is known before minutes are spent; a full disk is an error. */
#ifndef DRIVER_OUTPUT_H
#define DRIVER_OUTPUT_H

#include <stdio.h>

/** Create or empty a file. `-` is standard output, once; what else is printed
 * then goes to standard error. On failure it prints one line and exits with
 * EXIT_USAGE. @return NULL for path NULL. */
FILE *output_open(const char *path);
/** Write out and close. As output_open if not every byte could be written. */
void output_close(FILE *f, const char *path);

#endif
