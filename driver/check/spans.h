/* spans.h - a set of address ranges, few and large: the mappings.
 *
 *   at   | 0x7f10..., 8 KiB | 0x7f20..., 64 GiB | ...    sorted, apart
 *
 * Any thread may call; a mutex guards it. Its memory is shared memory, which is
 * none of the anonymous memory that resident.c counts. */
#ifndef DRIVER_SPANS_H
#define DRIVER_SPANS_H

#include <stdbool.h>
#include <stddef.h>

struct spans;

struct spans *spans_new(void);
void spans_free(struct spans *s);
/** Add [p, p + size). @return false: a part of it was in already, or there are
 * too many; nothing is changed. */
bool spans_add(struct spans *s, const void *p, size_t size);
/** The same; if another ends at p, it becomes one with that. */
bool spans_append(struct spans *s, const void *p, size_t size);
/** Take [p, p + size) out, which may be a part of what was added.
 * @return false: not all of it is in; nothing is changed. */
bool spans_remove(struct spans *s, const void *p, size_t size);
/** Is all of [p, p + size) inside one of those that were added? */
bool spans_hold(struct spans *s, const void *p, size_t size);
/** The sum of all, in bytes. */
size_t spans_bytes(struct spans *s);

#endif
