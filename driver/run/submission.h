/* submission.h - an allocator that is handed in as one file, mine.c or mine.so.
 *
 *   mine.c ── cc -shared ──► image, a file in memory ◄── mine.so
 *                              │ a probe asks it: which table, what can it do?
 *   mdriver ── fork, exec ──► child ── another user, no calls ──► dlopen(image)
 *
 * Its code never runs in the driver: only in processes that have given their
 * rights away (isolate.h). It brings one `const struct mm_allocator mm_NAME`,
 * and calls memlib.h, whose functions are the child's own. */
#ifndef DRIVER_SUBMISSION_H
#define DRIVER_SUBMISSION_H

#include "mm.h"

/* The child's environment: what is loaded late finds room for its thread-local
 * data. */
#define SUBMISSION_TUNABLES "glibc.rtld.optional_static_tls=262144"

/** Does an item of -a name a file of C code? */
bool submission_named(const char *item);
/** Make an allocator of a file: compile it if it is C, and ask it.
 * @param none  set if it is a library without a table.
 * @return NULL and a line in err; what the compiler says is on stderr. */
const struct mm_allocator *submission_open(const char *item, bool *none,
                                           char *err, size_t room);
/** The image of an allocator that submission_open made; -1: another's. */
int submission_image(const struct mm_allocator *a);
/** The path that was given for it; NULL: another's. */
const char *submission_path(const struct mm_allocator *a);

/** In a process that may run it: load the image.
 * @return false and a line in err: it cannot be loaded, or has no table. */
bool submission_load(int image, const char *name, struct mm_allocator *table,
                     char *err, size_t room);
/** In a process of --once, --heapmap, --watch: the allocator itself, if it is a
 * submission, loaded here; else a. Ends the process if it cannot be. */
const struct mm_allocator *submission_here(const struct mm_allocator *a);
/** First of all in main: does not return in a process that is a probe. */
void submission_main(int argc, char **argv);

#endif
