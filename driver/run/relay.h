/* relay.h - what a child prints, shown as its own.
 *
 * An allocator's output must not pass for the driver's: a line of points, say.
 * So a child's standard output and error are a pipe, and each line comes out
 * on the parent's standard error behind the allocator's name:
 *
 *   child   printf("free %p\n", p)  ──pipe──►  mine| free 0x7f1c0010
 *
 * The parent reads while it waits for the child, which else would stand still
 * at a full pipe. */
#ifndef DRIVER_RELAY_H
#define DRIVER_RELAY_H

#include <stdbool.h>
#include <stddef.h>

#define RELAY_LINE 512         /* bytes; a longer line is cut into pieces */
#define RELAY_MOST (64u << 10) /* bytes of one child that are shown */

struct relay {
    const char *name;
    int fd;       /* read end, non-blocking */
    size_t n;     /* bytes in line */
    size_t shown; /* bytes so far */
    char line[RELAY_LINE];
    char kept[RELAY_LINE]; /* the last line that begins so */
};

/** @return the write end, for the child. */
int relay_begin(struct relay *r, const char *name);
/** Show what has come. @return false: there will be no more. */
bool relay_read(struct relay *r);
/** The child has ended. @param own  it ended as the driver's own part of it
 * ends: what it said of itself is shown without the allocator's name. */
void relay_end(struct relay *r, bool own);

#endif
