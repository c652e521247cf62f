/* text.h - a finished conversion as a trace file (docs/traces.md). */
#ifndef RECORD_TEXT_H
#define RECORD_TEXT_H

#include "record/convert.h"

#include <stdio.h>

#define TEXT_MAX_THREADS 256 /* the format's; more are folded */

/** Does the name ask for compression? */
bool text_is_zst(const char *path);
/** A file to write, compressed or not; fclose reports whether all of it was
 * written. NULL and errno on failure. */
FILE *text_open(const char *path, bool zst);
/** The command of a program as a shell would take it, in one line whatever the
 * words hold; at most width bytes of it. */
void text_print_command(FILE *out, const struct log_header *h, size_t width);
/** Write all of c; note is a further comment line, or NULL.
 * @return the number of threads that the trace has. */
unsigned text_write(FILE *out, const struct conversion *c, const char *note);

#endif
