/* scene_page.h - the page of --watch: driver/report/scene_page.html with its
 * data.
 *
 * The data is one line of JSON, described in docs/watch.md; the frames of each
 * allocator, its largest part, come as text from the process that made them. */
#ifndef DRIVER_SCENE_PAGE_H
#define DRIVER_SCENE_PAGE_H

#include "driver/report/scene_replay.h"

#include <stdio.h>

/* What is shown of one allocator. */
struct scene_heap {
    const struct mm_allocator *a;
    struct scene_shared *shared;
    FILE *frames; /* as scene_frame wrote them */
};

/** One frame, to a FILE *; for struct scene_plan's show. */
void scene_frame(struct scene_shared *shared, FILE *out,
                 const struct scene_moment *moment);
/** @param command  how the page was made */
void scene_page(FILE *out, const char *command, const struct trace *t,
                const struct scene_heap *heaps, unsigned n);

#endif
