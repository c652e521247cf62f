/* registry.h - the allocators that this driver knows, by name. */
#ifndef DRIVER_REGISTRY_H
#define DRIVER_REGISTRY_H

#include "mm.h"

/** All of them, in the order of mm.h; the last entry is NULL. */
extern const struct mm_allocator *const registry[];

/* Linked into every driver, whatever its registry lists: the reference of all
 * comparisons, and the no-op allocator. The latter fails every check, is hidden
 * from `-a all`, and measures what the replay itself costs. */
extern const struct mm_allocator mm_libc, mm_null;

size_t registry_count(void);
/** Is it to have its memory from memlib: linked in, and neither libc nor the
 * no-op allocator; or adopted? */
bool registry_is_ours(const struct mm_allocator *a);
/** One more that has its memory from memlib: a file that was handed in. */
void registry_adopt(const struct mm_allocator *a);
/** Was it adopted? */
bool registry_is_stranger(const struct mm_allocator *a);
/** Is it one of the lab's own that must tell the size of its heap itself? */
bool registry_counts_itself(const struct mm_allocator *a);
/** @return NULL if none has this name. */
const struct mm_allocator *registry_find(const char *name);
bool registry_is_null(const struct mm_allocator *a);

#endif
