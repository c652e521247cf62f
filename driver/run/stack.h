/* stack.h - in the parent: says in words where in the code a child was.
 *
 * The child told what lies where (objects.h); addr2line(1), which comes with
 * every gcc, knows function, file and line. Told are the allocator's own
 * functions, from the innermost out to the driver's: its call is known. Those
 * of a library that was built without -g have a name, or not even that. */
#ifndef DRIVER_STACK_H
#define DRIVER_STACK_H

#include "driver/run/watch.h"

/** " in mine_free (designs/mine.c:80), called by mine_realloc (...)"; "" if
 * nothing is known. */
void stack_text(const struct watch *w, char *text, size_t room);

#endif
