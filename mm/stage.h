/* stage.h - what a stage is: the hooks that mm.c calls. mm/STAGE/stage.h, or a
 * file that it includes, defines them over one engine. Reading two stages side
 * by side shows a step.
 *
 * Besides, a stage defines
 *   STAGE_NAME, STAGE_SUMMARY  for the driver's tables
 *   STAGE_VIEW                 where it keeps its counts (engine/view.h)
 *   STAGE_DECAY                decay of mm.h, if it has that
 *   STAGE_STARTS               if malloc may come before stage_init
 * Sizes are bytes as the program asked for them; a pointer is a block in use
 * inside the heap's range. */
#ifndef MM_STAGE_H
#define MM_STAGE_H

#include <stddef.h>
#include <stdint.h>

struct mem_page;

/** A block of size bytes, 16-aligned. NULL, errno == ENOMEM. */
static void *stage_malloc(size_t size);
/** The same, aligned to a power of two that is not larger than MAX_REQUEST. */
static void *stage_memalign(size_t align, size_t size);
/** Free p, whichever thread made it; page is p's record. errno is kept. */
static void stage_free(void *p, struct mem_page *page);
/** Resize p without a second block. NULL: it does not fit, p is as it was. */
static void *stage_resize(void *p, size_t size);

/** Before all else, by one thread. @return 0, or not: out of memory */
static int stage_init(void);
/** After all else, by one thread: as if there had been nothing. */
static void stage_fini(void);
/** The calling thread begins. @return 0, or -1: out of memory */
static int stage_thread_init(void);
/** The calling thread ends: what it kept serves others. */
static void stage_thread_exit(void);

/** Count what breaks the invariants, a line each. @pre quiescent */
static size_t stage_check(void);
struct walker; /* mm/engine/walk.h */
/** Tell what lies between the blocks. @pre quiescent */
static void stage_walk(const struct walker *w);
/** Bytes of blocks in use, with their headers. */
static size_t stage_used(void);
struct mm_census; /* mm.h */
/** Count all arenas, without a lock (mm/engine/census.h). */
static void stage_census(struct mm_census *c);
/** Give the pages of free blocks back to the system. @return bytes */
static size_t stage_trim(void);
/** Bytes of bookkeeping, outside the heap. */
static size_t stage_metadata(void);

#endif
