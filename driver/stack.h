/* stack.h - in the parent: says in words where in the code a child was.
 *
 * The child is a fork, so its addresses are ours; addr2line(1), which comes
 * with every gcc, knows function, file and line. Told are the allocator's own
 * functions, from the innermost out to the driver's: its call is known. */
#ifndef DRIVER_STACK_H
#define DRIVER_STACK_H

#include "driver/child.h"

/** " in mine_free (designs/mine.c:80), called by mine_realloc (...)"; "" if
 * nothing is known. */
void stack_text(const struct stack *s, char *text, size_t room);

#endif
